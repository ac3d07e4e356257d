import type { Image } from './images.ts';

/** How a content of each type begins, in hexadecimal. */
const SIGNATURES: readonly (readonly [Image['mediaType'], RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^47494638(37|39)61/],
  ['image/webp', /^52494646[0-9a-f]{8}57454250/],
];

/** What an image is by its content, whatever it is called; undefined for what is none that a message takes. */
export function imageTypeOf(content: Uint8Array): Image['mediaType'] | undefined {
  const start = Array.from(content.subarray(0, 16), byte => byte.toString(16).padStart(2, '0')).join('');
  return SIGNATURES.find(([, signature]) => signature.test(start))?.[0];
}
