/** Shorter values would be found in what has nothing to do with them. */
export const MIN_SECRET_CHARS = 8;

/** What a program may write of base64 or hex in one piece, that no accident writes. */
const MIN_ENCODED_CHARS = 10;

/**
 * Every way that a value is likely to be written: as it is, in base64 (at each of the three places that it can begin at
 * within something larger, without the characters that depend on its neighbours), base64url, hex, percent-encoded, and as a
 * JSON string.
 */
export function spellings(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map(before => base64At(bytes, before));
  const url = encodeURIComponent(value);
  const everyByte = hex.replace(/../g, '%$&');
  const json = JSON.stringify(value).slice(1, -1);
  const found = [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', String.raw`\/`),
    url,
    url.toLowerCase(),
    everyByte,
    everyByte.toUpperCase(),
    ...[hex, hex.toUpperCase(), ...base64, ...base64.map(toUrl)].filter(text => text.length >= MIN_ENCODED_CHARS),
  ];
  return [...new Set(found)].filter(text => text.length >= MIN_SECRET_CHARS);
}

function base64At(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

function toUrl(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
