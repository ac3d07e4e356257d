import type { ChangeStats, EventOf } from '../../../protocol/events.ts';
import type { ReviewConflict, ReviewCounts } from '../../../protocol/review.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { listChanges } from '../git/diff.ts';
import type { Mirror } from '../git/mirror.ts';
import { proposedRef, updateRef } from '../git/refs.ts';
import type { Sides } from '../review/decide.ts';
import { mergeTrees, type Conflict } from '../review/mergeTrees.ts';
import { countPending, listPending } from '../review/pending.ts';

/**
 * What is on offer after a turn: its checkpoint, with what the reviewer took out and typed on top. Nothing that was accepted
 * is pending again unless the turn changed it.
 */
export async function offerTurn(
  mirror: Mirror,
  state: SessionState,
  checkpoint: string,
): Promise<Pick<EventOf<'turnFinished'>, 'proposed' | 'conflicts' | 'review' | 'stats'>> {
  const before = lastCheckpoint(state);
  if (checkpoint === before) {
    return sameOffer(state);
  }
  const { commit: proposed, conflicts } =
    state.proposed === before
      ? { commit: checkpoint, conflicts: [] }
      : await mergeTrees(mirror, { base: before, ours: state.proposed, theirs: checkpoint }, 'a new turn');
  const [counted] = await Promise.all([
    countReview(mirror, state, { accepted: state.accepted, proposed, checkpoint }),
    updateRef(mirror, proposedRef(state.id), proposed),
  ]);
  return {
    ...(proposed === checkpoint ? {} : { proposed }),
    ...(conflicts.length === 0 ? {} : { conflicts: conflicts.map(toWire) }),
    ...counted,
  };
}

/** What is on offer after a turn that changed nothing. */
export function sameOffer(state: SessionState): Pick<EventOf<'turnFinished'>, 'proposed' | 'review' | 'stats'> {
  const { pendingFiles, pending, reviewed } = state.review;
  return {
    ...(state.proposed === lastCheckpoint(state) ? {} : { proposed: state.proposed }),
    review: { pendingFiles, pending, reviewed },
    stats: state.stats,
  };
}

/** The commit that the last turn ended with, or the one that the session started from. */
export function lastCheckpoint(state: SessionState): string {
  return state.turns.findLast(turn => turn.checkpoint)?.checkpoint?.commit ?? state.base;
}

function toWire({ path, base, ours, theirs }: Conflict): ReviewConflict {
  return {
    path,
    ...(base ? { base: base.id } : {}),
    ...(ours ? { ours: ours.id } : {}),
    ...(theirs ? { theirs: theirs.id } : {}),
  };
}

/** How far the review is with these two trees: facts of git, whatever happened before. */
export async function countReview(
  mirror: Mirror,
  state: SessionState,
  { accepted, proposed, checkpoint = lastCheckpoint(state) }: Sides & { checkpoint?: string },
): Promise<{ review: ReviewCounts; stats: ChangeStats }> {
  const [pending, taken, changed, { stats }] = await Promise.all([
    listPending(mirror, accepted, proposed).then(countPending),
    listPending(mirror, state.base, accepted).then(countPending),
    listPending(mirror, proposed, checkpoint).then(countPending),
    listChanges(mirror, state.base, proposed),
  ]);
  return {
    review: { pendingFiles: pending.files, pending: pending.hunks, reviewed: taken.hunks + changed.hunks },
    stats,
  };
}
