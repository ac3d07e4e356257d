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

/** What an agent's end means: a stopped turn, a failed turn, an agent that never started, or nothing. */
export function endEvents(
  state: SessionState,
  runtime: Runtime,
  end: { segment: number; exitCode: number | null; stderr: string },
): EventBody[] {
  const at = new Date().toTimeString().slice(0, 5);
  const how = end.exitCode === null ? 'without an exit code' : `with exit code ${end.exitCode}`;
  const cause = `The agent process ended at ${at} ${how}.`;
  const turn = state.turns.at(-1);
  const open = turn && !turn.agent ? turn : undefined;
  const stopped = state.phase.kind === 'stopping';
  const untaken = undeliveredMessages(state.items).some(message => message.delivery === 'sent');
  // An agent that ends before it took anything would do so again and again.
  const useless = untaken && runtime.inputs <= 1;
  const released = runtime.releasing === end.segment;
  const expected = stopped || released || state.archived || (!open && end.exitCode === 0 && !useless);
  const events: EventBody[] = [{ type: 'agentEnded', segment: end.segment, exitCode: end.exitCode, expected, cause }];
  const detail = end.stderr.trim().split('\n').at(-1) ?? '';
  const failure: Failure = {
    code: 'agent_failed',
    message: detail === '' ? cause : `${cause} It said: ${detail.slice(0, 300)}`,
    hint: 'Send a message to go on: the agent resumes the same conversation.',
    retryable: true,
  };
  if (open) {
    events.push({
      type: 'agentFinished',
      turn: open.number,
      outcome: expected ? 'stopped' : 'failed',
      ...(expected ? {} : { failure }),
      usage: runtime.turnUsage,
      durationMs: Math.max(0, Date.now() - open.startedAt),
    });
  } else if (stopped && untaken) {
    events.push({ type: 'sessionBlocked', failure: STOPPED_EARLY });
  } else if (!expected && untaken) {
    // It ended before it took the message: starting it again by itself could go on for ever.
    events.push({ type: 'sessionBlocked', failure: { ...failure, hint: 'Retry the session.' } });
  } else if (stopped) {
    events.push({ type: 'sessionResumed', by: 'relay' });
  }
  return events;
}
