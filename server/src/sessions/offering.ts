import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import type { ChangeStats, EventOf } from '../../../protocol/events.ts';
import type { ReviewConflict, ReviewCounts } from '../../../protocol/review.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { listChanges } from '../git/diff.ts';
import type { Mirror } from '../git/mirror.ts';
import { proposedRef, updateRef } from '../git/refs.ts';
import type { Sides } from '../review/decide.ts';
import { mergeTrees, type Conflict } from '../review/mergeTrees.ts';
import { mergeAfterReview } from '../review/mergeAfterReview.ts';
import { countPending, listPending } from '../review/pending.ts';
import { Recent } from '../review/recent.ts';

/**
 * What is on offer after a turn: its checkpoint, with what the reviewer took out and typed on top. Nothing that was accepted
 * is pending again unless the turn changed it.
 */
export async function offerTurn(
  mirror: Mirror,
  state: SessionState,
  checkpoint: string,
): Promise<Pick<EventOf<'turnFinished'>, 'proposed' | 'conflicts' | 'review' | 'stats'>> {
  const before = currentCheckpoint(state);
  if (checkpoint === before) {
    return sameOffer(state);
  }
  const { commit: proposed, conflicts } =
    state.proposed === before && state.feedback?.applied?.commit !== before
      ? { commit: checkpoint, conflicts: [] }
      : await mergeTurn(mirror, state, { base: before, ours: state.proposed, theirs: checkpoint });
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

/** After a submitted review the agent had the reviewer's lines before it: it may build on them, but not undo them. */
function mergeTurn(
  mirror: Mirror,
  { feedback }: SessionState,
  sides: { base: string; ours: string; theirs: string },
): Promise<{ commit: string; conflicts: Conflict[] }> {
  const applied = feedback?.applied;
  return applied?.commit === sides.base && applied.agents !== sides.base
    ? mergeAfterReview(mirror, { ...sides, agents: applied.agents })
    : mergeTrees(mirror, sides, 'a new turn');
}

/** What is on offer after a turn that changed nothing. */
export function sameOffer(state: SessionState): Pick<EventOf<'turnFinished'>, 'proposed' | 'review' | 'stats'> {
  const { pendingFiles, pending, reviewed } = state.review;
  return {
    ...(state.proposed === currentCheckpoint(state) ? {} : { proposed: state.proposed }),
    review: { pendingFiles, pending, reviewed },
    stats: state.stats,
  };
}

function toWire({ path, base, ours, theirs }: Conflict): ReviewConflict {
  return {
    path,
    ...(base ? { base: base.id } : {}),
    ...(ours ? { ours: ours.id } : {}),
    ...(theirs ? { theirs: theirs.id } : {}),
  };
}

/** An acceptance leaves them as they are. */
const recentStats = new Recent<ChangeStats>({ answers: 64, weight: 64 }, () => 1);

/** How far the review is with these two trees: facts of git, whatever happened before. */
export async function countReview(
  mirror: Mirror,
  state: SessionState,
  { accepted, proposed, checkpoint = currentCheckpoint(state) }: Sides & { checkpoint?: string },
): Promise<{ review: ReviewCounts; stats: ChangeStats }> {
  const [pending, taken, changed, stats] = await Promise.all([
    listPending(mirror, accepted, proposed).then(countPending),
    listPending(mirror, state.base, accepted).then(countPending),
    listPending(mirror, proposed, checkpoint).then(countPending),
    recentStats.get(`${mirror.path} ${state.base} ${proposed}`, async () => {
      const { stats: made } = await listChanges(mirror, state.base, proposed);
      return made;
    }),
  ]);
  return {
    review: { pendingFiles: pending.files, pending: pending.hunks, reviewed: taken.hunks + changed.hunks },
    stats,
  };
}
