import type { SessionState } from '../protocol/session.ts';
import { undeliveredMessages } from '../protocol/stopping.ts';
import type { Deed } from './deeds.ts';
import type { Entry } from './outbox.ts';
import type { SessionPlan } from './plan.ts';
import type { TypedCall } from './typedCall.ts';
import { effectIn, textOf, workIn } from './work.ts';

/** After so many failures of one session even a patient person gives up; the session counts as stuck. */
const MAX_RETRIES = 40;
/** How often a deed is tried that the session was not ready for. */
const MAX_ATTEMPTS = 8;

/** What the person did in a session so far, by the outbox. */
export interface Deeds {
  /** Messages typed, the first one of the session included. */
  messages: number;
  /** A review is on its way: whether it becomes a message is open. */
  submitting: boolean;
  /** Messages that were to carry a review when there was nothing to review. */
  withoutReview: ReadonlySet<number>;
  /** Approvals that an answer was typed for. */
  answered: ReadonlySet<string>;
  /** Failures that a retry was typed for, by their moment. */
  retried: ReadonlySet<number>;
  /** Deeds that are done, or that there is nothing to do of. */
  settled: ReadonlySet<number>;
}

/** @param entries what was typed into the session, in order, what began it left out */
export function deedsOf(entries: readonly Entry[], isSkipped: (deed: number) => boolean, plan: SessionPlan): Deeds {
  const answered = new Set<string>();
  const retried = new Set<number>();
  const settled = new Set(plan.deeds.flatMap(({ number }) => (isSkipped(number) ? [number] : [])));
  const withoutReview = new Set<number>();
  const attempts = new Map<number, number>();
  let messages = 1;
  let submitting = false;
  for (const { typed, outcome } of entries) {
    const isRefused = outcome.kind === 'refused';
    if (typed.call === 'session.answer') {
      answered.add(typed.approvalId);
    } else if (typed.call === 'session.retry') {
      retried.add(typed.since);
    } else if (typed.call === 'session.send' || typed.call === 'review.submit') {
      messages += isRefused ? 0 : 1;
      submitting ||= typed.call === 'review.submit' && outcome.kind === 'open';
      const work = isRefused ? workIn(typed.text) : undefined;
      if (work) {
        withoutReview.add(work.message);
      }
    } else if ('deed' in typed) {
      const times = (attempts.get(typed.deed) ?? 0) + 1;
      attempts.set(typed.deed, times);
      if (!isRefused || times >= MAX_ATTEMPTS) {
        settled.add(typed.deed);
      }
    }
  }
  return { messages, submitting, withoutReview, answered, retried, settled };
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
  if (work && !deeds.submitting && undeliveredMessages(state.items).length + unseen(state, plan, deeds) <= plan.ahead) {
    const call = work.asReview && !deeds.withoutReview.has(work.message) ? 'review.submit' : 'session.send';
    calls.push({ call, sessionId, text: textOf(work) });
  }
  return calls;
}

/** The deed that is due; the session may still refuse it, then it is tried again. */
export function nextDeed(state: SessionState, plan: SessionPlan, deeds: Deeds): Deed | undefined {
  const deed = plan.deeds.find(({ number }) => !deeds.settled.has(number));
  const inherited = state.branchedFrom?.turn ?? 0;
  const ended = state.turns.filter(({ number, checkpoint }) => checkpoint && number > inherited).length;
  const isDue = deed && (ended >= deed.after || isAtRest(state, plan));
  return isDue && !(isGoingBack(deed) && isBusy(state)) ? deed : undefined;
}

/** Whether all that the plan asks for is in the log, worked on, and nothing is under way. */
export function isDone(state: SessionState, plan: SessionPlan, deeds: Deeds): boolean {
  return isAtRest(state, plan) && plan.deeds.every(({ number }) => deeds.settled.has(number));
}

export function isDenied(plan: SessionPlan, command: string): boolean {
  const effect = effectIn(command);
  const work = plan.messages.find(({ message }) => message === effect?.message);
  return effect !== undefined && work !== undefined && work.denied.includes(effect.step);
}

function isAtRest(state: SessionState, plan: SessionPlan): boolean {
  return (
    state.phase.kind === 'idle' &&
    state.restoring === undefined &&
    state.recovering === undefined &&
    state.approvals.length === 0 &&
    undeliveredMessages(state.items).length === 0 &&
    messagesIn(state, plan) === plan.messages.length &&
    state.turns.every(turn => turn.checkpoint)
  );
}

function isGoingBack({ kind }: Deed): boolean {
  return kind === 'restore' || kind === 'undoRestore';
}

/** What a restore is refused for, and cannot stop. */
function isBusy({ phase, restoring, recovering }: SessionState): boolean {
  return phase.kind === 'preparing' || restoring !== undefined || recovering !== undefined;
}

/** Messages that were typed and are not in the state yet. */
function unseen(state: SessionState, plan: SessionPlan, deeds: Deeds): number {
  return deeds.messages - messagesIn(state, plan);
}

/** A branch has the messages of the other session too. */
function messagesIn(state: SessionState, plan: SessionPlan): number {
  const own = new Set(plan.messages.map(({ message }) => message));
  return state.items.filter(item => item.kind === 'message' && own.has(workIn(item.text)?.message ?? 0)).length;
}
