import type { EventOf } from './events.ts';
import type { ReviewConflict } from './review.ts';
import type { Review, ReviewDecision, SessionState } from './session.ts';

/* The part of the reducer that follows a review. */

const MAX_DECISIONS = 200;

/** After the agent's files changed: by a turn, a restore, or as a submitted review was brought into them. */
export function reviewAfterTurn(
  review: Review,
  { review: counts, conflicts = [] }: Pick<EventOf<'turnFinished'>, 'review' | 'conflicts'>,
): Review {
  return { ...counts, conflicts: withConflicts(review.conflicts, conflicts), decisions: review.decisions };
}

export function reviewAfterDecision(
  state: SessionState,
  body: EventOf<'reviewDecided'>,
  seq: number,
): Pick<SessionState, 'accepted' | 'proposed' | 'stats' | 'review'> {
  const { accepted, proposed, stats } = body;
  return {
    accepted,
    proposed,
    stats,
    review: {
      ...body.review,
      conflicts: state.review.conflicts.filter(({ path }) => !body.files.some(file => file.path === path)),
      decisions: withDecision(state, body, seq),
    },
  };
}

/** A later turn's conflict on a path stands for the earlier one: the reviewer's version is the same. */
function withConflicts(before: readonly ReviewConflict[], added: readonly ReviewConflict[]): ReviewConflict[] {
  return [...before.filter(({ path }) => !added.some(conflict => conflict.path === path)), ...added];
}

function withDecision(state: SessionState, body: EventOf<'reviewDecided'>, seq: number): ReviewDecision[] {
  const { accepted, proposed } = state;
  const after = { accepted: body.accepted, proposed: body.proposed };
  const decision = { seq, undo: body.undoes !== undefined, before: { accepted, proposed }, after };
  return [...state.review.decisions.filter(other => other.seq !== body.undoes), decision].slice(-MAX_DECISIONS);
}
