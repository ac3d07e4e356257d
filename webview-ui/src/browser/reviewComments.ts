import type { CallParams } from '../../../protocol/calls.ts';
import type { Comment } from '../../../protocol/commentText.ts';
import type { LineRange } from '../../../protocol/feedback.ts';
import type { PendingFile } from '../../../protocol/pendingReview.ts';
import type { Hunk } from '../../../protocol/review.ts';

export type CommentTarget = CallParams<'review.comment'>['target'];

/** What a comment on a hunk is about: what comes in, or what goes out where nothing comes in. Undefined: there is no text. */
export function targetOf({ path, oldPath = path, blob, oldBlob }: PendingFile, hunk: Hunk): CommentTarget | undefined {
  if (hunk.newCount > 0) {
    const lines = { start: hunk.newStart, count: hunk.newCount };
    return blob === undefined ? undefined : { kind: 'lines', side: 'proposed', path, object: blob, lines };
  }
  const lines = { start: hunk.oldStart, count: hunk.oldCount };
  return oldBlob === undefined ? undefined : { kind: 'lines', side: 'accepted', path: oldPath, object: oldBlob, lines };
}

/** The comments under each hunk of a file, and those on lines of it that are not in sight. */
export function commentsOf(
  comments: readonly Comment[],
  { path, oldPath = path, hunks }: PendingFile,
): { at: ReadonlyMap<string, Comment[]>; elsewhere: Comment[] } {
  const at = new Map<string, Comment[]>();
  const elsewhere: Comment[] = [];
  for (const comment of comments) {
    const { place, now } = comment;
    if (place.kind !== 'lines' || place.path !== (place.side === 'proposed' ? path : oldPath)) {
      continue;
    }
    const hunk = now === null ? undefined : hunks.find(each => overlap(now, linesOf(each, place.side)));
    if (hunk) {
      at.set(hunk.id, [...(at.get(hunk.id) ?? []), comment]);
    } else {
      elsewhere.push(comment);
    }
  }
  return { at, elsewhere };
}

function linesOf({ newStart, newCount, oldStart, oldCount }: Hunk, side: 'accepted' | 'proposed'): LineRange {
  return side === 'proposed' ? { start: newStart, count: newCount } : { start: oldStart, count: oldCount };
}

function overlap(one: LineRange, other: LineRange): boolean {
  return one.start < other.start + other.count && other.start < one.start + one.count;
}
