import type { CallResult } from './calls.ts';
import type { FileChange } from './callParts.ts';
import type { SessionState } from './session.ts';
import { t, told } from './text.ts';

/* What is pending in a review, as every surface that shows one must understand it. */

export type PendingReview = CallResult<'review.list'>;
export type PendingFile = PendingReview['files'][number];
/** The two commits that a person looked at. */
export type ReviewSides = Pick<PendingReview, 'accepted' | 'proposed'>;

export function sidesOf({ accepted, proposed }: ReviewSides): ReviewSides {
  return { accepted, proposed };
}

/** How many decisions are left in a file. */
export function decisionsIn({ hunks }: Pick<PendingFile, 'hunks'>): number {
  return Math.max(1, hunks.length);
}

/** Whether what is shown is not the review as the session's log has it: somebody decided, or a turn ended. */
export function isBehind(
  { accepted, proposed, conflicts, review }: PendingReview,
  state: Pick<SessionState, 'accepted' | 'proposed' | 'review'>,
): boolean {
  return (
    accepted !== state.accepted ||
    proposed !== state.proposed ||
    conflicts.length !== state.review.conflicts.length ||
    review.reviewed !== state.review.reviewed
  );
}

/** Why a file is one that is never accepted unseen, as the reviewer is asked. */
export function sensitiveReason({ sensitive = '' }: Pick<FileChange, 'sensitive'>): string {
  return t("{0}. Such files can run code on a developer's machine.", told(sensitive));
}

/**
 * Where a reviewer goes on after a decision: the next place that was behind it and is still pending, else the last one
 * before it; undefined when nothing is left.
 */
export function nextPlace<Place extends { key: string }>(
  before: readonly Place[],
  decided: string,
  after: ReadonlySet<string>,
): Place | undefined {
  const index = before.findIndex(({ key }) => key === decided);
  const isLeft = ({ key }: Place): boolean => key !== decided && after.has(key);
  return before.slice(index + 1).find(isLeft) ?? before.slice(0, Math.max(0, index)).findLast(isLeft);
}
