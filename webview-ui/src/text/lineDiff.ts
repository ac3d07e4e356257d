import { t } from '../../../protocol/text.ts';

export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'gap';
  text: string;
}

/** Beyond this many changed lines on a side, the two sides are shown one after the other instead of compared. */
const MAX_COMPARED = 400;
const CONTEXT = 2;

/** What changed between two texts, line by line, with a little of what did not. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const old = toLines(before);
  const neu = toLines(after);
  let head = 0;
  while (head < old.length && head < neu.length && old[head] === neu[head]) {
    head++;
  }
  let tail = 0;
  while (tail < old.length - head && tail < neu.length - head && old.at(-1 - tail) === neu.at(-1 - tail)) {
    tail++;
  }
  const middle = compare(old.slice(head, old.length - tail), neu.slice(head, neu.length - tail));
  return [...around(old.slice(0, head), 'end'), ...middle, ...around(old.slice(old.length - tail), 'start')];
}

function toLines(text: string): string[] {
  return text === '' ? [] : text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');
}

function around(lines: string[], near: 'start' | 'end'): DiffLine[] {
  const kept = near === 'end' ? lines.slice(-CONTEXT) : lines.slice(0, CONTEXT);
  const same = kept.map((text): DiffLine => ({ kind: 'same', text }));
  const left = lines.length - kept.length;
  if (left === 0) {
    return same;
  }
  const gap: DiffLine = { kind: 'gap', text: t('{0} unchanged', left) };
  return near === 'end' ? [gap, ...same] : [...same, gap];
}

/** Longest common subsequence, by the table. */
function compare(old: string[], neu: string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: 'removed', text });
  const added = (text: string): DiffLine => ({ kind: 'added', text });
  if (old.length === 0 || neu.length === 0 || old.length > MAX_COMPARED || neu.length > MAX_COMPARED) {
    return [...old.map(removed), ...neu.map(added)];
  }
  const width = neu.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = neu.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === neu[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < neu.length) {
    const before = old[i];
    const after = neu[j];
    if (before !== undefined && before === after) {
      lines.push({ kind: 'same', text: before });
      i++;
      j++;
    } else if (before !== undefined && (after === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(before));
      i++;
    } else {
      lines.push(added(after ?? ''));
      j++;
    }
  }
  return lines;
}
