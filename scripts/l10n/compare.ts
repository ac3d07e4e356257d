/** What is wrong with a language, as sentences; empty when nothing is. */
export function compareTexts(
  name: string,
  keys: ReadonlySet<string>,
  texts: Readonly<Record<string, string>>,
  english: (key: string) => string = key => key.replace(/##.*/, ''),
): string[] {
  const translated = new Set(Object.keys(texts));
  return [
    ...[...keys].filter(key => !translated.has(key)).map(key => `${name} has no text for ${JSON.stringify(key)}`),
    ...[...translated]
      .filter(key => !keys.has(key))
      .map(key => `${name} has a text that nobody uses: ${JSON.stringify(key)}`),
    ...Object.entries(texts)
      .filter(([key]) => keys.has(key))
      .flatMap(([key, text]) =>
        differences(english(key), text).map(what => `${name}: ${what} in ${JSON.stringify(key)}`),
      ),
  ];
}

/** What a translation must keep: places for arguments, icons, commands of links. */
const KEPT: Readonly<Record<string, RegExp>> = {
  'other places': /\{\d\}/g,
  'other icons': /\$\([\w~-]+\)/g,
  'other commands': /\]\(command:[^)]*\)/g,
};

function differences(english: string, text: string): string[] {
  const of = (from: string, pattern: RegExp): string => (from.match(pattern) ?? []).toSorted().join(' ');
  return [
    ...(text.trim() === '' ? ['an empty text'] : []),
    ...Object.entries(KEPT)
      .filter(([, pattern]) => of(english, pattern) !== of(text, pattern))
      .map(([what]) => what),
  ];
}
