/** The languages besides English. Each is a chunk of its own, loaded only by who reads it. */
const LANGUAGES: Readonly<Record<string, () => Promise<{ speak: () => void }>>> = {
  de: () => import('./languages/germanTexts.ts'),
};

/**
 * Gives the page the first of these languages that it has, and says which one it is. A chunk that cannot be loaded leaves the
 * page in English: it is better read than not drawn.
 * @param wanted as BCP 47 names them, the best first
 */
export async function loadLanguage(wanted: readonly string[]): Promise<void> {
  const found = wanted
    .map(name => name.toLowerCase().split('-')[0] ?? '')
    .find(name => name === 'en' || name in LANGUAGES);
  document.documentElement.lang = 'en';
  document.documentElement.dir = 'ltr';
  const load = found === undefined ? undefined : LANGUAGES[found];
  if (load && found !== undefined) {
    await load().then(
      ({ speak }) => {
        speak();
        document.documentElement.lang = found;
      },
      () => undefined,
    );
  }
}
