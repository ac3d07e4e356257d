/*
 * Claude Code drops a message whose UUID it has seen, which makes resending harmless, and echoes the UUID when the message
 * enters a turn. A message id (protocol/ids.ts) is ten characters of time and sixteen random ones: 42 bits of time, which
 * last until 2109, and 80 random bits are exactly the 122 free bits of a UUID, so the two forms turn into each other.
 */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const FREE_BITS = 122n;

/** The UUID (version 8) of a message id, or undefined when the id is not one of ours. */
export function uuidOfMessage(messageId: string): string | undefined {
  const match = /^msg_([0-9a-hjkmnp-tv-z]{26})$/.exec(messageId);
  if (match?.[1] === undefined) {
    return undefined;
  }
  let bits = 0n;
  for (const char of match[1]) {
    bits = bits * 32n + BigInt(ALPHABET.indexOf(char));
  }
  if (bits >> FREE_BITS !== 0n) {
    return undefined;
  }
  const high = bits >> 74n;
  const middle = (bits >> 62n) & 0xfffn;
  const low = bits & ((1n << 62n) - 1n);
  const hex = ((high << 80n) | (8n << 76n) | (middle << 64n) | (2n << 62n) | low).toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The message id of a UUID that `uuidOfMessage` made; undefined for every other UUID. */
export function messageOfUuid(uuid: string): string | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)) {
    return undefined;
  }
  const value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let bits = ((value >> 80n) << 74n) | (((value >> 64n) & 0xfffn) << 62n) | (value & ((1n << 62n) - 1n));
  let id = '';
  for (let digit = 0; digit < 26; digit++) {
    id = (ALPHABET[Number(bits & 31n)] ?? '') + id;
    bits >>= 5n;
  }
  return `msg_${id}`;
}
