import type { ItemOutcome } from '../../../protocol/feedback.ts';

/*
 * Reads from an agent's text what became of the items of a review. It is asked for lines like `C1: addressed - done`;
 * what comes may have lists, tables, bold text or brackets around them. Pure. What cannot be read is no answer: nothing is
 * taken for addressed that the agent did not call so.
 */

export interface SaidOfItem {
  /** Absent when the agent wrote of the item but in none of the words. */
  outcome?: Extract<ItemOutcome, 'addressed' | 'declined' | 'outdated'>;
  text?: string;
}

const MAX_TEXT = 2000;
const FENCE = /^\s*(`{3,}|~{3,})\s*(\S*)\s*$/;
const LABELS = /^[\s>*+|•-]*[[(`*_]*([CRE]\d+(?:\s*(?:,|&|and)\s*[CRE]\d+)*)[\])`*_]*(?=$|[\s:–—|.\-(])(.*)$/i;
const OUTCOME = /^[\s:–—|.\-*_`([]*(addressed|declined|outdated)\b(?!\s*[|/]\s*(?:addressed|declined|outdated))(.*)$/i;

/** @param labels which are asked for; others are left out */
export function readAnswers(text: string, labels: ReadonlySet<string>): Map<string, SaidOfItem> {
  const lines = text.split(/\r?\n/);
  const { block, isBlock } = answerLines(lines);
  const said = new Map<string, SaidOfItem>();
  let open: string[] = [];
  for (const line of block) {
    const [, names, rest = ''] = LABELS.exec(line) ?? [];
    if (names === undefined) {
      open = isBlock && line.trim() !== '' ? continued(said, open, line.trim()) : [];
      continue;
    }
    const [, word, reason] = OUTCOME.exec(rest) ?? [];
    const outcome = outcomeOf(word);
    open = (names.toUpperCase().match(/[CRE]\d+/g) ?? []).filter(label => labels.has(label));
    // Outside of the block a label is often just mentioned.
    for (const label of outcome || isBlock ? open : []) {
      const words = trimmed(outcome ? (reason ?? '') : rest);
      said.set(label, { ...(outcome ? { outcome } : {}), ...(words === '' ? {} : { text: words }) });
    }
  }
  return said;
}

/** The last block of the form that was asked for; without one, all that was written. */
function answerLines(lines: readonly string[]): { block: readonly string[]; isBlock: boolean } {
  let block: string[] | undefined;
  for (let index = 0; index < lines.length; index++) {
    const [, fence, language] = FENCE.exec(lines[index] ?? '') ?? [];
    if (fence === undefined) {
      continue;
    }
    const end = lines.findIndex((line, at) => at > index && line.trim() === fence);
    const stop = end < 0 ? lines.length : end;
    if (language?.toLowerCase() === 'review') {
      block = lines.slice(index + 1, stop);
    }
    index = stop;
  }
  return { block: block ?? lines, isBlock: block !== undefined };
}

function continued(said: Map<string, SaidOfItem>, open: string[], line: string): string[] {
  for (const label of open) {
    const { text, ...rest } = said.get(label) ?? {};
    said.set(label, { ...rest, text: `${text === undefined ? '' : `${text}\n`}${line}`.slice(0, MAX_TEXT) });
  }
  return open;
}

function outcomeOf(word: string | undefined): SaidOfItem['outcome'] {
  const lower = word?.toLowerCase();
  return lower === 'addressed' || lower === 'declined' || lower === 'outdated' ? lower : undefined;
}

function trimmed(text: string): string {
  return text
    .replace(/^[\s:–—|,.;)\]*_`-]+/, '')
    .replace(/[\s|*_]+$/, '')
    .replace(/^\(([^()]*)\)?$/, '$1')
    .slice(0, MAX_TEXT);
}
