import { lineOf, placeOf, restoredParts, turnName } from './checkpoints.ts';
import type { EventOf } from './events.ts';
import { notice, phaseOfTurns, type Handlers } from './reducerParts.ts';
import { reviewAfterTurn } from './reviewReducer.ts';
import { endedWork } from './specReducer.ts';
import type { Feedback, Item, Place, Restoring, SessionState, Turn } from './session.ts';
import { NO_USAGE } from './usage.ts';

/* The part of the reducer that follows restores and branches. */

const MAX_RESTORES = 50;

type CheckpointEvent = 'restoreStarted' | 'restoreFinished' | 'restoreFailed' | 'sessionBranched';

/** What a turn that begins now goes on from, where that is not simply the turn before it. */
export function standingOf({ heads, conversation }: SessionState): Pick<Turn, 'after' | 'conversation'> {
  return { ...(heads ? { after: heads } : {}), ...(conversation === undefined ? {} : { conversation }) };
}

export const checkpointHandlers: Handlers<CheckpointEvent> = {
  restoreStarted: (state, { type: _type, undoes, ...restore }, { at, seq }) => ({
    ...endedWork(state, 'An earlier turn was restored.', at),
    restoring: { ...restore, ...(undoes === undefined ? {} : { undoes }), seq, since: at },
  }),
  restoreFinished: (state, body, { at, seq, items }) => {
    const { restoring } = state;
    if (restoring?.seq !== body.restore) {
      return {};
    }
    const place = placeAfter(state, restoring, body);
    const { heads, checkpoint, proposed, conversation } = place;
    items.add(notice(seq, at, 'info', restoredText(restoring)));
    return {
      restoring: undefined,
      interrupted: undefined,
      heads,
      restored: checkpoint,
      proposed,
      conversation,
      ...(body.code ? { review: reviewAfterTurn(state.review, body.code), stats: body.code.stats } : {}),
      ...(body.code && state.feedback ? { feedback: withoutApplied(state.feedback, state.items) } : {}),
      // A sandbox that was made for this waits for no agent.
      ...(state.phase.kind === 'preparing' ? { phase: phaseOfTurns(state.turns, at) } : {}),
      restores: [
        ...(state.restores ?? []),
        {
          ...restoring,
          ...(body.code ? { saved: body.code.saved } : {}),
          before: placeOf(state),
          after: place,
        },
      ].slice(-MAX_RESTORES),
    };
  },
  restoreFailed: (state, body, { at, seq, items }) => {
    const { message, hint } = body.failure;
    items.add(notice(seq, at, 'error', `Nothing was restored: ${message}`, hint));
    return {
      restoring: undefined,
      ...(state.phase.kind === 'preparing' ? { phase: phaseOfTurns(state.turns, at) } : {}),
    };
  },
  sessionBranched: (state, { from, turn, title, place }, { at, seq, items }) => {
    // What came later, or was not taken yet, belongs to the other session.
    items.keep(item => !('turn' in item) || item.turn === undefined || item.turn <= turn);
    items.keep(item => item.kind !== 'message' || item.delivery === 'taken');
    items.add(notice(seq, at, 'info', `Branched from ${turnName(turn)} of "${from.title}".`));
    return {
      ...place,
      title,
      // Whoever pinned the other one has not pinned this.
      pinned: undefined,
      createdAt: at,
      archived: false,
      agent: { ...state.agent, running: false },
      phase: phaseOfTurns([], at),
      turns: inheritedTurns(state, turn),
      heads: { code: turn, conversation: turn },
      restored: state.turns.find(({ number }) => number === turn)?.checkpoint?.commit ?? state.base,
      conversation: undefined,
      restoring: undefined,
      updating: undefined,
      moving: undefined,
      restores: [],
      spec: undefined,
      extracting: undefined,
      stuck: undefined,
      interrupted: undefined,
      recovering: undefined,
      recoveries: 0,
      approvals: [],
      usage: NO_USAGE,
      pullRequest: undefined,
      branchedFrom: { sessionId: from.sessionId, title: from.title, turn },
    };
  },
};

function placeAfter(state: SessionState, restoring: Restoring, body: EventOf<'restoreFinished'>): Place {
  const now = placeOf(state);
  const back = state.restores?.find(({ seq }) => seq === restoring.undoes)?.before.heads;
  const to = back ?? { code: restoring.turn, conversation: restoring.turn };
  const conversation = body.conversation ? body.conversation.id : now.conversation;
  return {
    heads: {
      code: restoring.code ? to.code : now.heads.code,
      conversation: restoring.conversation ? to.conversation : now.heads.conversation,
    },
    checkpoint: body.code?.checkpoint ?? now.checkpoint,
    proposed: body.code ? (body.code.proposed ?? body.code.checkpoint) : now.proposed,
    ...(conversation === undefined ? {} : { conversation }),
  };
}

/** What was brought into the files for a turn that has not begun is not in them any more: it is brought into these. */
function withoutApplied(feedback: Feedback, items: readonly Item[]): Feedback {
  const waiting = new Set(
    items.flatMap(item => (item.kind === 'message' && item.delivery === 'queued' ? [item.submission] : [])),
  );
  return {
    ...feedback,
    submissions: feedback.submissions.map(({ applied, ...submission }) =>
      applied && !waiting.has(submission.number) ? { ...submission, applied } : submission,
    ),
  };
}

function restoredText(restoring: Restoring): string {
  const parts = restoredParts(restoring);
  const [first = '', ...rest] = parts;
  const subject = `${first.toUpperCase()}${rest.join('')}`;
  const verb = restoring.code && restoring.conversation ? 'are' : 'is';
  return restoring.undoes === undefined
    ? `${subject} ${verb} restored to ${restoring.turn === 0 ? '' : 'the end of '}${turnName(restoring.turn)}. Later turns are set aside; nothing of them is lost.`
    : `${subject} ${verb} as before the restore.`;
}

/** Turns of the branch, all in the one conversation that it begins with; others keep theirs, which it has not. */
function inheritedTurns(state: SessionState, last: number): Turn[] {
  const line = lineOf(state.turns, last, 'conversation');
  return state.turns
    .filter(({ number }) => number <= last)
    .map(turn => {
      if (!line.has(turn.number)) {
        return turn;
      }
      const { conversation: _conversation, ...inherited } = turn;
      return inherited;
    });
}
