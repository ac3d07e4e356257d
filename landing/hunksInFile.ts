import type { Hunk } from '../protocol/review.ts';
import { mergeText } from './mergeText.ts';
import type { Environment } from './runGit.ts';

/*
 * Where the hunks of a review stand in a user's own file, which may have other changes besides. A hunk stands there when
 * taking it out is a clean three-way merge that changes something: the rest of the file, its line ends too, stays then.
 */

export interface FileSides {
  accepted: Buffer;
  proposed: Buffer;
  /** The user's, as it is now. */
  user: Buffer;
}

/** A half-open range of lines, counted from 0; an empty one is the place before the line `start`. */
export interface Lines {
  start: number;
  end: number;
}

/** The lines that differ in an editor's comparison of the accepted file with the user's. */
export interface ShownChange {
  accepted: Lines;
  user: Lines;
}

/** A hunk that stands in the user's file, and where. */
export interface HunkPlace {
  hunk: Hunk;
  lines: Lines;
}

/** Those hunks that stand in the user's file just as they are proposed. */
export async function hunksInFile(
  sides: FileSides,
  hunks: readonly Hunk[],
  environment: Environment,
): Promise<HunkPlace[]> {
  const places: HunkPlace[] = [];
  for (const hunk of hunks) {
    const without = await withoutHunks(sides, [hunk], environment);
    if (without) {
      places.push({ hunk, lines: changedLines(sides.user, without) });
    }
  }
  return places;
}

/**
 * The user's file with hunks taken out.
 * @returns undefined when they do not stand there, or something else stands in the same lines
 */
export async function withoutHunks(
  { accepted, proposed, user }: FileSides,
  hunks: readonly Hunk[],
  environment: Environment,
): Promise<Buffer | undefined> {
  const theirs = takeOut(accepted, proposed, hunks);
  const merged = await mergeText({ base: proposed, ours: user, theirs }, environment);
  return merged.kind === 'clean' && !merged.content.equals(user) ? merged.content : undefined;
}

/** The hunks that a shown change has, whole or in part, by where they are in the accepted file. */
export function candidates(hunks: readonly Hunk[], { accepted }: ShownChange): Hunk[] {
  return hunks.filter(({ oldStart, oldCount }) => touches({ start: oldStart, end: oldStart + oldCount }, accepted));
}

/** Whether two ranges have a line in common; an empty one has to lie in the other or at its edge. */
export function touches(one: Lines, other: Lines): boolean {
  return one.start === one.end || other.start === other.end
    ? one.start <= other.end && other.start <= one.end
    : one.start < other.end && other.start < one.end;
}

function takeOut(accepted: Buffer, proposed: Buffer, hunks: readonly Hunk[]): Buffer {
  const before = splitLines(accepted);
  const lines = splitLines(proposed);
  const parts: string[] = [];
  let at = 0;
  for (const { oldStart, oldCount, newStart, newCount } of hunks.toSorted((a, b) => a.newStart - b.newStart)) {
    parts.push(...lines.slice(at, newStart), ...before.slice(oldStart, oldStart + oldCount));
    at = newStart + newCount;
  }
  return Buffer.from([...parts, ...lines.slice(at)].join(''), 'latin1');
}

/** What of the first differs from the second, as lines of the first. */
function changedLines(one: Buffer, other: Buffer): Lines {
  const from = splitLines(one);
  const to = splitLines(other);
  const most = Math.min(from.length, to.length);
  let start = 0;
  while (start < most && from[start] === to[start]) {
    start++;
  }
  let tail = 0;
  while (tail < most - start && from[from.length - 1 - tail] === to[to.length - 1 - tail]) {
    tail++;
  }
  return { start, end: from.length - tail };
}

/** One character a byte, so that every byte comes back as it was. */
function splitLines(content: Buffer): string[] {
  return content.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
