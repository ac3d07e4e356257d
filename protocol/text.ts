/*
 * The texts that a person reads, in the language of who reads them. The English text is the key, as it is for `vscode.l10n.t`,
 * so that the code reads as the surface does; scripts/check-l10n.ts knows every key and holds the languages to it.
 *
 * The relay and the command line speak English: only an editor and a page set texts. A text that stands in a constant of a
 * module is made when that module is loaded, so protocol/ and the page make their texts where they use them.
 */

/** By the English text. */
export type Texts = Readonly<Record<string, string>>;

let texts: Texts = {};
let teller = (text: string): string => text;
let locale: string | undefined;

/**
 * Before anything is shown.
 * @param language of the dictionary, for dates and numbers
 * @param tell puts what the relay wrote into the language: `tellerOf`
 */
export function useTexts(dictionary: Texts, language: string, tell: (text: string) => string): void {
  texts = dictionary;
  locale = language;
  teller = tell;
}

/**
 * @param text in English, written out: the check reads the sources. `{0}`, `{1}` stand for the arguments. What stands behind
 * `##` is for translators, where one English word has two meanings: `Open##state`
 */
export function t(text: string, ...args: readonly (string | number)[]): string {
  const own = texts[text] ?? text.replace(/##.*/, '');
  // What has no argument is not searched: a text may hold braces of its own.
  return args.length === 0
    ? own
    : own.replace(/\{(\d)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));
}

/** A number of things: `count(2, 'file')` is `2 files`. The keys are `{0} file` and `{0} files`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return t(`{0} ${value === 1 ? one : many}`, value);
}

/**
 * What the relay wrote in English, in the reader's language when it is one of its own sentences; anything else stays as it is:
 * what an agent or a person wrote is never translated.
 */
export function told(text: string): string {
  return teller(text);
}

/** As the reader's language writes it. @param at milliseconds since the epoch */
export function dateTime(at: number): string {
  return new Date(at).toLocaleString(locale);
}

/** @param at milliseconds since the epoch */
export function date(at: number): string {
  return new Date(at).toLocaleDateString(locale);
}

/** With the reader's marks between thousands. */
export function number(value: number): string {
  return value.toLocaleString(locale ?? 'en');
}

/** The language of the texts; undefined while they are the English ones. */
export function language(): string | undefined {
  return locale;
}
