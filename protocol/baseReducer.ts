import { notice, phaseOfTurns, type Handlers, type Patch } from './reducerParts.ts';
import type { SessionState } from './session.ts';

/* The part of the reducer that follows updates from the base branch. */

type BaseEvent = 'baseUpdateStarted' | 'baseUpdated' | 'baseUpdateFailed';

export const baseHandlers: Handlers<BaseEvent> = {
  baseUpdateStarted: (_state, { type: _type, ...update }, { at, seq }) => ({ updating: { ...update, seq, since: at } }),
  baseUpdated: (state, body, { at, seq, items }) => {
    const { updating } = state;
    if (updating?.seq !== body.update) {
      return {};
    }
    items.add(notice(seq, at, 'info', `What ${updating.branch} has since is merged in.`));
    const { base, accepted, checkpoint, proposed, stats } = body;
    return {
      ...ended(state, at),
      startedFrom: state.startedFrom ?? state.base,
      base,
      accepted,
      restored: checkpoint,
      proposed,
      stats,
      review: { ...state.review, ...body.review },
    };
  },
  baseUpdateFailed: (state, { update, failure }, { at, seq, items }) => {
    if (state.updating?.seq !== update) {
      return {};
    }
    const { message, hint } = failure;
    items.add(notice(seq, at, 'error', `Nothing was merged in: ${message}`, hint));
    return ended(state, at);
  },
};

/** A sandbox that was made for this waits for no agent. */
function ended(state: SessionState, at: number): Patch {
  return {
    updating: undefined,
    ...(state.phase.kind === 'preparing' ? { phase: phaseOfTurns(state.turns, at) } : {}),
  };
}
