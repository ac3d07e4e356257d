import { SandpiperError } from '../../../protocol/errors.ts';

const MAX_TERMS = 20;
/** So much stands before and after what was found. */
const AROUND_CHARS = 80;

/** The words of a query; what is in double quotes is one. @throws `invalid_params` when there is none */
export function termsOf(query: string): string[] {
  const terms = [...query.matchAll(/"([^"]+)"|(\S+)/g)]
    .map(([, quoted, word]) => (quoted ?? word ?? '').replaceAll('\0', '').toWellFormed())
    .filter(term => /[^\s"]/.test(term))
    .slice(0, MAX_TERMS);
  if (terms.length === 0) {
    throw new SandpiperError('invalid_params', 'There is nothing to search for.', { hint: 'Type a word or more.' });
  }
  return terms;
}

export interface Snippet {
  text: string;
  /** Where the words stand in it: from, and before where. UTF-16. */
  marks: [number, number][];
}

/** The part of a text around the first word that was found, in one line. */
export function snippetOf(text: string, terms: readonly string[]): Snippet {
  const lower = text.toLowerCase();
  const wanted = terms.map(term => term.toLowerCase());
  const first = Math.min(...wanted.map(term => lower.indexOf(term)).filter(at => at >= 0));
  const at = Number.isFinite(first) ? first : 0;
  const from = Math.max(0, at - AROUND_CHARS);
  const to = Math.min(text.length, at + AROUND_CHARS * 2);
  const part = text.slice(from, to).toWellFormed().replace(/\s/g, ' ');
  const shown = `${from > 0 ? '…' : ''}${part}${to < text.length ? '…' : ''}`;
  return { text: shown, marks: marksOf(shown.toLowerCase(), wanted) };
}

function marksOf(shown: string, wanted: readonly string[]): [number, number][] {
  const marks: [number, number][] = [];
  for (const term of wanted) {
    for (let at = shown.indexOf(term); at >= 0; at = shown.indexOf(term, at + term.length)) {
      marks.push([at, at + term.length]);
    }
  }
  marks.sort(([one], [other]) => one - other);
  return marks.filter(([from], index) => index === 0 || from >= (marks[index - 1]?.[1] ?? 0));
}
