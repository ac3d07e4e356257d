import { headerOf, type HookDialect } from './dialect.ts';
import { addressOf, triggerOf } from './githubPayload.ts';
import { isSigned, looksSigned } from './signature.ts';

const SIGNATURE = 'x-hub-signature-256';

export const GITHUB_DIALECT: HookDialect = {
  forge: 'github',
  names: 'X-GitHub-Delivery or no X-GitHub-Event',
  looksSigned: headers => looksSigned(headers[SIGNATURE]),
  isSigned: (headers, body, secret) => isSigned(body, headers[SIGNATURE], secret),
  delivery: headers => ({ id: headerOf(headers, 'x-github-delivery'), event: headerOf(headers, 'x-github-event') }),
  addressOf,
  triggerOf,
};
