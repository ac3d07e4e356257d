const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** What an id names; the prefix makes a pasted id recognisable. */
export type IdKind = 'ses' | 'msg' | 'apr' | 'cmt' | 'key' | 'evt' | 'snd' | 'spc';

/**
 * A new id: prefix, ten characters of time (sortable by creation), sixteen random ones.
 * @param now milliseconds since the epoch
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  let time = '';
  for (let rest = now, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32)) {
    time = (ALPHABET[rest % 32] ?? '0') + time;
  }
  let random = '';
  for (const byte of globalThis.crypto.getRandomValues(new Uint8Array(16))) {
    random += ALPHABET[byte % 32] ?? '0';
  }
  return `${kind}_${time}${random}`;
}

/** Shape of an id of one kind, for schemas. Ids appear in ref and file names, so nothing else may pass. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${kind}_[0-9a-z]{26}$`);
}
