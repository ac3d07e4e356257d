import type { Hunk } from '../../../protocol/review.ts';
import type { PendingFile } from './pendingChanges.ts';

/* Where pending changes are, and which is next. Lines are those of the proposed file, counted from 0. */

/** A pending change: a hunk, or a file that is decided as a whole. */
export interface Place {
  path: string;
  line: number;
  hunk?: string;
}

/** The hunk that a line belongs to: one of its lines, or for a deletion one of the two lines around it. */
export function hunkAt(file: PendingFile, side: 'accepted' | 'proposed', line: number): Hunk | undefined {
  const touches = ({ oldStart, oldCount, newStart, newCount }: Hunk): boolean => {
    const [start, count] = side === 'proposed' ? [newStart, newCount] : [oldStart, oldCount];
    return count === 0 ? line === start || line === start - 1 : line >= start && line < start + count;
  };
  // A line may be of a hunk and beside a deletion.
  const found = file.hunks.filter(touches);
  return found.find(hunk => (side === 'proposed' ? hunk.newCount : hunk.oldCount) > 0) ?? found[0];
}

/** Every pending change in the order in which the diff shows it. */
export function placesOf(files: readonly PendingFile[]): Place[] {
  return files.flatMap((file): Place[] =>
    file.hunks.length === 0
      ? [{ path: file.path, line: 0 }]
      : file.hunks.map(({ id, newStart }) => ({ path: file.path, line: newStart, hunk: id })),
  );
}

/**
 * The change after or before a place, around the end; the first when the place is unknown.
 * @param order paths as they were when `from` was pending, for a file that is decided and gone
 */
export function nextPlace(
  files: readonly PendingFile[],
  from: Pick<Place, 'path' | 'line'> | undefined,
  direction: 'next' | 'previous',
  order: readonly string[] = files.map(({ path }) => path),
): Place | undefined {
  const places = placesOf(files);
  if (!from) {
    return direction === 'next' ? places[0] : places.at(-1);
  }
  const ranks = new Map(order.map((path, index) => [path, index]));
  const rank = (path: string): number => ranks.get(path) ?? order.length;
  const isAfter = (place: Place): boolean =>
    place.path === from.path ? place.line > from.line : rank(place.path) > rank(from.path);
  const isBefore = (place: Place): boolean =>
    place.path === from.path ? place.line < from.line : rank(place.path) < rank(from.path);
  return direction === 'next' ? (places.find(isAfter) ?? places[0]) : (places.findLast(isBefore) ?? places.at(-1));
}

/** Where a line of the saved text stands in the unsaved one; a line that was typed over is where the typing begins. */
export function movedLine(saved: readonly string[], now: readonly string[], line: number): number {
  const shorter = Math.min(saved.length, now.length);
  let start = 0;
  while (start < shorter && saved[start] === now[start]) {
    start++;
  }
  let tail = 0;
  while (tail < shorter - start && saved[saved.length - 1 - tail] === now[now.length - 1 - tail]) {
    tail++;
  }
  if (line < start) {
    return line;
  }
  return line >= saved.length - tail ? line + now.length - saved.length : start;
}
