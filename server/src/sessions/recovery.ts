import type { EventBody, Failure } from '../../../protocol/events.ts';
import type { Recovering, SessionState } from '../../../protocol/session.ts';

/** How often in a row the relay goes on by itself before it leaves that to a person. */
export const MAX_RECOVERIES = 3;

const FIRST_DELAY_MS = 500;

type RecoveryStarted = Extract<EventBody, { type: 'recoveryStarted' }>;

/** How long to wait before an attempt: what fails at once must not be tried without end at full speed. */
function delayMs(attempt: number): number {
  return attempt <= 1 ? 0 : FIRST_DELAY_MS * 10 ** Math.min(attempt - 2, 2);
}

/** What begins a recovery of whatever is there now: an agent that is ended first, or a turn that was cut off. Pure. */
export function recoveryOf(state: SessionState, by: 'owner' | 'relay', cause: string): RecoveryStarted {
  const attempt = state.recoveries + 1;
  // A person who asks again need not wait.
  return { type: 'recoveryStarted', by, attempt, delayMs: by === 'relay' ? delayMs(attempt) : 0, cause };
}

/**
 * What the relay does by itself after an agent's end. It goes on when the process died under a turn and no tool ran whose
 * effects may be half done, or when it died before it could go on; when that happens again and again a person decides.
 * @param ended what the end was told as, decided on the same state
 */
export function recoveryAfterEnd(state: SessionState, ended: readonly EventBody[]): EventBody[] {
  const end = ended.find(body => body.type === 'agentEnded');
  if (end?.expected !== false || state.archived || ended.some(body => body.type === 'sessionBlocked')) {
    return [];
  }
  const open = state.turns.find(turn => !turn.agent);
  const toolRan = state.items.some(
    item => item.kind === 'tool' && item.turn === open?.number && item.state === 'running',
  );
  const mayTry = state.recoveries < MAX_RECOVERIES;
  if (open ? !toolRan && mayTry : state.recovering && mayTry) {
    return [recoveryOf(state, 'relay', end.cause)];
  }
  return state.recovering ? [{ type: 'sessionBlocked', failure: givenUp(end.cause) }] : [];
}

function givenUp(cause: string): Failure {
  return {
    code: 'agent_failed',
    message: `${cause} It could not go on with its turn.`,
    hint: 'Recover tries it once more; a message begins another turn.',
    retryable: true,
  };
}

/** What a person's *Recover* does at this moment; empty when there is nothing to recover. Pure. */
export function recoverEvents(state: SessionState): EventBody[] {
  if (state.archived || state.recovering) {
    return [];
  }
  if (state.phase.kind === 'blocked') {
    const resumed = { type: 'sessionResumed', by: 'owner' } as const;
    return state.interrupted ? [resumed, recoveryOf(state, 'owner', 'You asked to go on with the turn.')] : [resumed];
  }
  const works = state.agent.running && (state.phase.kind === 'working' || state.stuck !== undefined);
  if (works) {
    return [recoveryOf(state, 'owner', state.stuck?.cause ?? 'You asked to start the agent again.')];
  }
  return state.interrupted && state.phase.kind !== 'stopping'
    ? [recoveryOf(state, 'owner', 'You asked to go on with the turn.')]
    : [];
}

/** How long an attempt has still to wait. A clock that was set back does not make it longer. */
export function delayLeftMs(recovering: Recovering | undefined, now: number): number {
  return recovering ? Math.min(recovering.delayMs, Math.max(0, recovering.since + recovering.delayMs - now)) : 0;
}
