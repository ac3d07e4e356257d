import type { IncomingHttpHeaders } from 'node:http';
import { headerOf, type HookDialect } from './dialect.ts';
import { addressOf, triggerOf } from './giteaPayload.ts';
import { isSigned, looksSigned, withAlgorithm } from './signature.ts';

/** Forgejo sends its own headers and Gitea's; where both are there, both name the same. */
export const GITEA_DIALECT: HookDialect = {
  forge: 'gitea',
  names: 'X-Gitea-Delivery or no X-Gitea-Event',
  looksSigned: headers => looksSigned(signatureOf(headers)),
  isSigned: (headers, body, secret) => isSigned(body, signatureOf(headers), secret),
  delivery: headers => ({ id: own(headers, 'delivery'), event: own(headers, 'event') }),
  addressOf,
  triggerOf,
};

function signatureOf(headers: IncomingHttpHeaders): string | undefined {
  return withAlgorithm(own(headers, 'signature'));
}

function own(headers: IncomingHttpHeaders, name: string): string {
  return headerOf(headers, `x-forgejo-${name}`) || headerOf(headers, `x-gitea-${name}`);
}
