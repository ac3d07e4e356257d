/** A text as no language writes it, whose places for arguments stay: `[!! Ŝţöþ {0} !!]`. */
export function pseudo(key: string): string {
  const text = key.replace(/##.*/, '');
  const letters = text.replace(/\{\d\}|[aeinost]/gi, part => STRANGE[part] ?? part);
  return `[!! ${letters} !!]`;
}

const STRANGE: Readonly<Record<string, string>> = {
  a: 'å',
  e: 'ë',
  i: 'ï',
  n: 'ñ',
  o: 'ö',
  s: 'š',
  t: 'ţ',
  A: 'Å',
  E: 'Ë',
  I: 'Ï',
  N: 'Ñ',
  O: 'Ö',
  S: 'Š',
  T: 'Ţ',
};
