import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SandpiperError } from '../../../protocol/errors.ts';

/* Signatures by the scheme of Standard Webhooks. Pure. */

/** How far the sender's clock may be from ours, and how old a delivery may be that is sent again as it was. */
const TOLERANCE_MS = 5 * 60_000;

/** No point in it: id and time could be told apart in two ways then. */
const ID = /^[\w:-]{1,128}$/;
const TIME = /^\d{1,12}$/;
const SIGNATURE = /^v1,([A-Za-z0-9+/]{43}=)$/;
/** A sender that changes its secret signs with both. */
const MAX_SIGNATURES = 10;

export interface SignedHeaders {
  id: string;
  /** As it came: that is what is signed. */
  time: string;
  signatures: Buffer[];
}

const NAMED_HINT =
  'Sign it with the secret that `sandpiper hooks add` showed, or make another one with `sandpiper hooks rotate`.';

/**
 * What can be refused before the body is read.
 * @param hint where the secret is that it is to be signed with
 * @throws `unauthorized`, `invalid_request`
 */
export function readSignedHeaders(headers: IncomingHttpHeaders, nowMs: number, hint = NAMED_HINT): SignedHeaders {
  const signatures = one(headers, 'webhook-signature')
    .split(' ')
    .slice(0, MAX_SIGNATURES)
    .flatMap(part => SIGNATURE.exec(part)?.[1] ?? [])
    .map(text => Buffer.from(text, 'base64'));
  if (signatures.length === 0) {
    throw notSigned('The webhook has no signature of the form `v1,...` in webhook-signature.', hint);
  }
  const id = one(headers, 'webhook-id');
  const time = one(headers, 'webhook-timestamp');
  if (!ID.test(id) || !TIME.test(time)) {
    throw new SandpiperError('invalid_request', 'The webhook has no webhook-id or no webhook-timestamp.', {
      hint: 'The id is letters, digits, _, - and :, the timestamp seconds since 1970.',
    });
  }
  if (Math.abs(Number(time) * 1000 - nowMs) > TOLERANCE_MS) {
    throw notSigned('The webhook-timestamp is more than five minutes away from the time of this relay.', hint);
  }
  return { id, time, signatures };
}

/** Whether these very bytes were signed with the secret. Takes the same time for every wrong signature. */
export function isSignedBy(secret: string, { id, time, signatures }: SignedHeaders, body: Uint8Array): boolean {
  const expected = createHmac('sha256', Buffer.from(secret, 'base64url'))
    .update(`${id}.${time}.`)
    .update(body)
    .digest();
  let fits = false;
  for (const signature of signatures) {
    fits = timingSafeEqual(signature, expected) || fits;
  }
  return fits;
}

/** The secret as senders take it. */
export function toSignedSecret(secret: string): string {
  return `whsec_${Buffer.from(secret, 'base64url').toString('base64')}`;
}

export function notSigned(message: string, hint = NAMED_HINT): SandpiperError {
  return new SandpiperError('unauthorized', message, { hint });
}

function one(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}
