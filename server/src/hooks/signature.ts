import { createHmac, timingSafeEqual } from 'node:crypto';

const FORM = /^sha256=[0-9a-f]{64}$/;

/** Whether a header can be a signature at all. */
export function looksSigned(header: unknown): header is string {
  return typeof header === 'string' && FORM.test(header);
}

/** Whether these very bytes were signed with the secret, by `X-Hub-Signature-256`. Takes the same time for every wrong one. */
export function isSigned(body: Uint8Array, header: unknown, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  return looksSigned(header) && timingSafeEqual(Buffer.from(header), expected);
}
