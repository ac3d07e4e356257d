import type { IncomingHttpHeaders } from 'node:http';
import { secretCommand } from '../core/hookConfig.ts';
import { isSignedBy, readSignedHeaders, toSignedSecret } from '../core/standardWebhook.ts';
import { headerOf, type HookDialect } from './dialect.ts';
import { addressOf, triggerOf } from './gitlabPayload.ts';
import { isSecret } from './signature.ts';

const HINT = `Set the secret of ${secretCommand('gitlab')} in the settings of the webhook.`;

/** GitLab signs where the webhook has a signing token, which newer versions can make; else it sends the secret along. */
export const GITLAB_DIALECT: HookDialect = {
  forge: 'gitlab',
  names: 'Idempotency-Key or no X-Gitlab-Event',
  looksSigned: headers =>
    isWithSignature(headers)
      ? readSignedHeaders(headers, Date.now(), HINT).signatures.length > 0
      : headerOf(headers, 'x-gitlab-token') !== '',
  isSigned: (headers, body, secret) => {
    if (!isWithSignature(headers)) {
      return isSecret(headerOf(headers, 'x-gitlab-token'), secret);
    }
    const key = signingKey(secret);
    return key !== undefined && isSignedBy(key, readSignedHeaders(headers, Date.now(), HINT), body);
  },
  delivery: headers => ({ id: idOf(headers), event: eventOf(headerOf(headers, 'x-gitlab-event')) }),
  addressOf,
  triggerOf,
};

/** The secret as GitLab takes it for signing; undefined for one that cannot be one. */
export function gitlabSigningToken(secret: string): string | undefined {
  const key = signingKey(secret);
  return key === undefined ? undefined : toSignedSecret(key);
}

function isWithSignature(headers: IncomingHttpHeaders): boolean {
  return headers['webhook-signature'] !== undefined;
}

/** 32 bytes in base64url. */
function signingKey(secret: string): string | undefined {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return key.length === 32 && /^(whsec_)?[A-Za-z0-9+/_-]{43}=?$/.test(secret) ? key.toString('base64url') : undefined;
}

/** One that stays the same when it is sent again comes first; that of the event may be the same for several. */
function idOf(headers: IncomingHttpHeaders): string {
  const names = ['idempotency-key', 'webhook-id', 'x-gitlab-webhook-uuid', 'x-gitlab-event-uuid'];
  return names.map(name => headerOf(headers, name)).find(value => value !== '') ?? '';
}

/** `Merge Request Hook` is `merge_request`; what is confidential is told of by an event of its own. */
function eventOf(header: string): string {
  const [, name = ''] = /^([A-Za-z ]{1,50}) Hook$/.exec(header) ?? [];
  return name
    .replace(/^Confidential /, '')
    .replaceAll(' ', '_')
    .toLowerCase();
}
