import type { SessionState } from '../protocol/session.ts';
import { undeliveredMessages } from '../protocol/stopping.ts';
import type { TypedCall } from './outbox.ts';
import type { SessionPlan } from './plan.ts';
import { effectIn, textOf } from './work.ts';

/** After so many failures of one session even a patient person gives up; the session counts as stuck. */
const MAX_RETRIES = 40;

/** What the person did in a session so far, by the outbox. */
export interface Deeds {
  /** Messages typed, the first one of the session included. */
  messages: number;
  /** Approvals that an answer was typed for. */
  answered: ReadonlySet<string>;
  /** Failures that a retry was typed for, by their moment. */
  retried: ReadonlySet<number>;
}

/** What the person does next, looking at a session. Pure; the same deeds and state always give the same. */
export function nextCalls(state: SessionState, plan: SessionPlan, deeds: Deeds): TypedCall[] {
  const sessionId = state.id;
  const calls: TypedCall[] = [];
  for (const approval of state.approvals) {
    if (!deeds.answered.has(approval.id)) {
      const kind = isDenied(plan, approval.input.text) ? 'deny' : 'allow';
      calls.push({ call: 'session.answer', sessionId, approvalId: approval.id, decision: { kind } });
    }
  }
  if (state.phase.kind === 'blocked') {
    const { since } = state.phase;
    const gaveUp = deeds.retried.has(since) || deeds.retried.size >= MAX_RETRIES;
    return gaveUp ? calls : [...calls, { call: 'session.retry', sessionId, since }];
  }
  const work = plan.messages[deeds.messages];
  if (work && undeliveredMessages(state.items).length + unseen(state, deeds) <= plan.ahead) {
    calls.push({ call: 'session.send', sessionId, text: textOf(work) });
  }
  return calls;
}

/** Whether all that the plan asks for is in the log, worked on, and nothing is under way. */
export function isDone(state: SessionState, plan: SessionPlan): boolean {
  return (
    state.phase.kind === 'idle' &&
    state.approvals.length === 0 &&
    undeliveredMessages(state.items).length === 0 &&
    messagesIn(state) === plan.messages.length &&
    state.turns.every(turn => turn.checkpoint)
  );
}

export function isDenied(plan: SessionPlan, command: string): boolean {
  const effect = effectIn(command);
  const work = plan.messages.find(({ message }) => message === effect?.message);
  return effect !== undefined && work !== undefined && work.denied.includes(effect.step);
}

/** Messages that were typed and are not in the state yet. */
function unseen(state: SessionState, deeds: Deeds): number {
  return deeds.messages - messagesIn(state);
}

function messagesIn(state: SessionState): number {
  return state.items.filter(item => item.kind === 'message').length;
}
