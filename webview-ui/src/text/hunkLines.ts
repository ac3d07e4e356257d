import type { Hunk } from '../../../protocol/review.ts';
import type { DiffLine } from './lineDiff.ts';
import { t } from '../../../protocol/text.ts';

/** The lines of one side of a file. */
export interface SideText {
  /** Without their ends; a carriage return stays. */
  lines: readonly string[];
  /** Whether the last line has an end. */
  isEnded: boolean;
}

/** A line of a hunk, with its number (from 1) on the sides that have it. */
export interface HunkLine extends DiffLine {
  old?: number;
  new?: number;
}

const CONTEXT = 3;

/** Lines end as the relay counts them: by a newline and nothing else. */
export function sideText(content: string): SideText {
  const lines = content.split('\n');
  const isEnded = lines.at(-1) === '';
  return { lines: isEnded ? lines.slice(0, -1) : lines, isEnded: isEnded || content === '' };
}

/**
 * A hunk as a person reads it: what goes out, what comes in, and a few lines around. What stands between two hunks is
 * shown once.
 *
 * @param hunks all of the file, in their order; the sides must be those that they were made from
 */
export function hunkLines(before: SideText, after: SideText, hunks: readonly Hunk[], index: number): HunkLine[] {
  const hunk = hunks[index];
  if (!hunk) {
    return [];
  }
  const { oldStart, oldCount, newStart, newCount } = hunk;
  const [oldEnd, newEnd] = [oldStart + oldCount, newStart + newCount];
  const earlier = hunks[index - 1];
  const free = newStart - (earlier ? earlier.newStart + earlier.newCount : 0);
  const above = Math.min(CONTEXT, free - (earlier ? Math.min(CONTEXT, free) : 0));
  const below = Math.min(CONTEXT, (hunks[index + 1]?.newStart ?? after.lines.length) - newEnd);
  const same = (oldFrom: number, newFrom: number, count: number): HunkLine[] =>
    after.lines
      .slice(newFrom, newFrom + count)
      .map((text, at) => ({ kind: 'same', text, old: oldFrom + at + 1, new: newFrom + at + 1 }));
  const removed = before.lines
    .slice(oldStart, oldEnd)
    .map((text, at): HunkLine => ({ kind: 'removed', text, old: oldStart + at + 1 }));
  const added = after.lines
    .slice(newStart, newEnd)
    .map((text, at): HunkLine => ({ kind: 'added', text, new: newStart + at + 1 }));
  return withoutReturns([
    ...same(oldStart - above, newStart - above, above),
    ...removed,
    ...notEnded(before, oldEnd, oldCount),
    ...added,
    ...notEnded(after, newEnd, newCount),
    ...same(oldEnd, newEnd, below),
  ]);
}

/** Everything that differs as one hunk, for a file that is decided as a whole. */
export function wholeFileLines(before: SideText, after: SideText): HunkLine[] {
  const [old, now] = [before.lines, after.lines];
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) {
    head++;
  }
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) {
    tail++;
  }
  const counts = { oldCount: old.length - head - tail, newCount: now.length - head - tail };
  return hunkLines(before, after, [{ id: '', oldStart: head, newStart: head, ...counts }], 0);
}

function notEnded({ lines, isEnded }: SideText, end: number, count: number): HunkLine[] {
  return !isEnded && count > 0 && end === lines.length
    ? [{ kind: 'gap', text: t('No end of line at the end of the file') }]
    : [];
}

/** Where every line ends in the same way, its carriage return says nothing; where they differ, it is what changed. */
function withoutReturns(lines: HunkLine[]): HunkLine[] {
  const all = lines.every(({ kind, text }) => kind === 'gap' || text.endsWith('\r'));
  return all ? lines.map(line => (line.kind === 'gap' ? line : { ...line, text: line.text.slice(0, -1) })) : lines;
}
