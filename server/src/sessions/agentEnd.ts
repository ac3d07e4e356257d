import type { EventBody, Failure } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { undeliveredMessages } from '../../../protocol/stopping.ts';
import type { Runtime } from './runtime.ts';

/** What a session says that was stopped before its agent began. */
export const STOPPED_EARLY: Failure = {
  code: 'stopped',
  message: 'You stopped this before the agent began.',
  hint: 'Retry to hand it the same message, or send another.',
  retryable: true,
};

/** What a move says that a person stopped. */
export const STOPPED_MOVE: Failure = {
  code: 'stopped',
  message: 'You stopped it.',
  hint: 'The session is where it was.',
  retryable: true,
};

/** What an agent's end means: a stopped turn, a failed turn, an agent that never started, or nothing. */
export function endEvents(
  state: SessionState,
  runtime: Runtime,
  end: { segment: number; exitCode: number | null; stderr: string },
): EventBody[] {
  const turn = state.turns.at(-1);
  const open = turn && !turn.agent ? turn : undefined;
  const cause = causeOf(runtime, end, open !== undefined);
  const untaken = undeliveredMessages(state.items).some(message => message.delivery === 'sent');
  const recovered = state.recovering && end.segment <= state.recovering.segment ? state.recovering : undefined;
  const expected = recovered !== undefined || isExpected(state, runtime, end, untaken);
  const detail = end.stderr.trim().split('\n').at(-1) ?? '';
  const failure: Failure = {
    code: 'agent_failed',
    message: detail === '' ? cause : `${cause} It said: ${detail.slice(0, 300)}`,
    hint: 'Recover goes on with this turn in the same conversation; a message begins the next one in it.',
    retryable: true,
  };
  const events: EventBody[] = [{ type: 'agentEnded', segment: end.segment, exitCode: end.exitCode, expected, cause }];
  if (open) {
    events.push({
      type: 'agentFinished',
      turn: open.number,
      outcome: expected && !recovered ? 'stopped' : 'failed',
      ...(recovered ? { failure: endedToRecover(recovered.cause) } : expected ? {} : { failure }),
      usage: runtime.turnUsage,
      durationMs: Math.max(0, Date.now() - open.startedAt),
    });
  } else if (state.phase.kind === 'stopping') {
    events.push(untaken ? { type: 'sessionBlocked', failure: STOPPED_EARLY } : { type: 'sessionResumed', by: 'relay' });
  } else if (!expected && untaken) {
    // It ended before it took the message: starting it again by itself could go on for ever.
    events.push({ type: 'sessionBlocked', failure: { ...failure, hint: 'Retry the session.' } });
  }
  return events;
}

function causeOf(
  { releasing, releaseReason, outdated }: Runtime,
  { segment, exitCode }: { segment: number; exitCode: number | null },
  inTurn: boolean,
): string {
  const at = new Date().toTimeString().slice(0, 5);
  const replaced =
    outdated === segment && !inTurn ? 'because it takes its new settings only when it starts' : undefined;
  const why = releasing === segment ? releaseReason : replaced;
  const how = exitCode === null ? 'without an exit code' : `with exit code ${exitCode}`;
  return why === undefined
    ? `The agent process ended at ${at} ${how}.`
    : `The agent was let go of at ${at} ${why}; the next message resumes the same conversation.`;
}

/** Whether somebody wanted the end, or nothing was under way. */
function isExpected(
  state: SessionState,
  runtime: Runtime,
  { segment, exitCode }: { segment: number; exitCode: number | null },
  untaken: boolean,
): boolean {
  const wanted = state.phase.kind === 'stopping' || state.archived;
  const open = state.turns.some(turn => !turn.agent);
  // An agent that ends before it took anything would do so again and again.
  const useless = untaken && runtime.inputs - (runtime.settingLines ?? 0) <= 1;
  const resuming = state.recovering !== undefined;
  return (
    wanted ||
    ((state.restoring ?? state.updating ?? state.moving) !== undefined && !open) ||
    runtime.releasing === segment ||
    (!open && runtime.outdated === segment) ||
    runtime.stopping === segment ||
    (!open && exitCode === 0 && !useless && !resuming)
  );
}

function endedToRecover(message: string): Failure {
  return {
    code: 'agent_failed',
    message,
    hint: 'The next agent goes on with the same conversation.',
    retryable: true,
  };
}
