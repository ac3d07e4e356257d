import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const FORM = /^sha256=[0-9a-f]{64}$/;
const BARE_FORM = /^[0-9a-f]{64}$/;

/** Whether a header can be a signature at all. */
export function looksSigned(header: unknown): header is string {
  return typeof header === 'string' && FORM.test(header);
}

/** Whether these very bytes were signed with the secret, by `X-Hub-Signature-256`. Takes the same time for every wrong one. */
export function isSigned(body: Uint8Array, header: unknown, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  return looksSigned(header) && timingSafeEqual(Buffer.from(header), expected);
}

/** The same signature as others write it: without `sha256=`. */
export function withAlgorithm(header: unknown): string | undefined {
  return typeof header === 'string' && BARE_FORM.test(header) ? `sha256=${header}` : undefined;
}

/** Whether a text is the secret itself. Takes the same time for every other one, whatever its length. */
export function isSecret(text: string, secret: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(text), digest(secret));
}
