import type { LineRange } from './feedback.ts';

/*
 * Where commented lines are in another version of their file. Pure. Lines are compared without their ends, so that a file
 * that changes from CRLF to LF keeps its comments.
 */

export interface Moved {
  lines: LineRange;
  /** `exact`: the same lines. `near`: most of them. */
  how: 'exact' | 'near';
}

/** Of equal places, the one is meant whose neighbours are the same too. */
const CONTEXT_LINES = 8;

/** The lines of a text, without their ends. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/**
 * The commented lines in `after`: the very same ones, else the place that has most of them, else undefined: the comment is
 * outdated.
 * @param lines in `before`; what reaches past its end is left out
 */
export function moveAnchor(before: readonly string[], after: readonly string[], lines: LineRange): Moved | undefined {
  const start = Math.min(lines.start, before.length);
  const block = before.slice(start, start + lines.count);
  if (block.length === 0) {
    return undefined;
  }
  const head = commonHead(before, after);
  const tail = commonTail(before, after, head);
  if (start + block.length <= head) {
    return { lines: { start, count: block.length }, how: 'exact' };
  }
  if (start >= before.length - tail) {
    return { lines: { start: start + after.length - before.length, count: block.length }, how: 'exact' };
  }
  // How far what stands before it was moved is not known; in between lies the best guess.
  const expected = start < head ? start : Math.round(start + (after.length - before.length) / 2);
  return exactPlace(before, after, { start, block, expected }) ?? nearPlace(after, block, expected);
}

interface Wanted {
  start: number;
  block: readonly string[];
  expected: number;
}

function exactPlace(before: readonly string[], after: readonly string[], wanted: Wanted): Moved | undefined {
  const { start, block, expected } = wanted;
  // One line alone that says nothing is everywhere.
  const isBlank = block.every(line => line.trim() === '');
  let best: { at: number; score: number } | undefined;
  for (let at = after.indexOf(block[0] ?? ''); at >= 0; at = after.indexOf(block[0] ?? '', at + 1)) {
    if (!block.every((line, index) => after[at + index] === line)) {
      continue;
    }
    const score = contextScore(before, after, { start, at, count: block.length });
    const isBetter =
      best === undefined ||
      score > best.score ||
      (score === best.score && Math.abs(at - expected) < Math.abs(best.at - expected));
    if (isBetter && (!isBlank || score > 0)) {
      best = { at, score };
    }
  }
  return best && { lines: { start: best.at, count: block.length }, how: 'exact' };
}

/** How many lines right before and right after are the same. */
function contextScore(
  before: readonly string[],
  after: readonly string[],
  { start, at, count }: { start: number; at: number; count: number },
): number {
  let score = 0;
  for (let up = 1; up <= CONTEXT_LINES && start >= up && at >= up && before[start - up] === after[at - up]; up++) {
    score++;
  }
  for (let down = 0; down < CONTEXT_LINES; down++) {
    const line = before[start + count + down];
    if (line === undefined || line !== after[at + count + down]) {
      break;
    }
    score++;
  }
  return score;
}

/** The window with most of the lines, if it has more than half of them; indentation does not count. */
function nearPlace(after: readonly string[], block: readonly string[], expected: number): Moved | undefined {
  const wanted = new Set(block.map(line => line.trim()).filter(line => line !== ''));
  const need = Math.floor(wanted.size / 2) + 1;
  if (wanted.size === 0) {
    return undefined;
  }
  const width = Math.min(block.length, after.length);
  const inside = new Map<string, number>();
  let best: { at: number; found: number } | undefined;
  for (let end = 0; end < after.length; end++) {
    const entering = after[end]?.trim() ?? '';
    if (wanted.has(entering)) {
      inside.set(entering, (inside.get(entering) ?? 0) + 1);
    }
    const leaving = after[end - width]?.trim() ?? '';
    const left = inside.get(leaving);
    if (end >= width && left !== undefined) {
      if (left === 1) {
        inside.delete(leaving);
      } else {
        inside.set(leaving, left - 1);
      }
    }
    const at = end - width + 1;
    if (at < 0 || inside.size < need || (best && inside.size < best.found)) {
      continue;
    }
    if (!best || inside.size > best.found || Math.abs(at - expected) < Math.abs(best.at - expected)) {
      best = { at, found: inside.size };
    }
  }
  return best && { lines: { start: best.at, count: width }, how: 'near' };
}

function commonHead(one: readonly string[], other: readonly string[]): number {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one[count] === other[count]) {
    count++;
  }
  return count;
}

/** Lines at the end that both have, without those that are in the common head. */
function commonTail(one: readonly string[], other: readonly string[], head: number): number {
  const most = Math.min(one.length, other.length) - head;
  let count = 0;
  while (count < most && one[one.length - 1 - count] === other[other.length - 1 - count]) {
    count++;
  }
  return count;
}
