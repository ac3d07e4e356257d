import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { newId } from '../../../protocol/ids.ts';
import type { SessionState, Turn } from '../../../protocol/session.ts';
import { checksOf } from '../../../protocol/specChecks.ts';
import type { SpecOutcome } from '../../../protocol/specEvents.ts';
import { unchangedRounds } from '../../../protocol/specReducer.ts';
import {
  itemState,
  nextCheck,
  openWork,
  questionId,
  type SpecRound,
  type SpecWork,
} from '../../../protocol/specWork.ts';
import { undeliveredMessages } from '../../../protocol/stopping.ts';
import { nextMessage } from '../specs/specMessages.ts';

/* What the building of a spec needs next, from the log alone, so that it goes on after any kill. Pure. */

type NextCheck = NonNullable<ReturnType<typeof nextCheck>>;

export type SpecPlan =
  /** Nothing: whatever the session does otherwise comes first. */
  | { kind: 'none' }
  /** A person is asked. */
  | { kind: 'wait' }
  | { kind: 'beginRound'; work: SpecWork }
  | { kind: 'check'; work: SpecWork; round: SpecRound; next: NextCheck }
  | { kind: 'ask'; work: SpecWork; round: SpecRound; questions: { key: string; item: number; question: string }[] }
  | { kind: 'judge'; work: SpecWork; round: SpecRound }
  | { kind: 'end'; work: SpecWork; outcome: SpecOutcome; reason: string };

const NONE: SpecPlan = { kind: 'none' };

/** Asked for when no turn is open and each has its checkpoint. */
export function planSpec(state: SessionState): SpecPlan {
  const work = openWork(state);
  if (!work) {
    return NONE;
  }
  const last = state.turns.at(-1);
  const round = work.round?.turn === (last?.number ?? 0) ? work.round : undefined;
  const next = round && nextCheck(work);
  if (round && next) {
    return { kind: 'check', work, round, next };
  }
  // A message is handed over first: its turn is checked when it ends.
  if (state.recovering || undeliveredMessages(state.items).length > 0) {
    return NONE;
  }
  return round ? planAfterChecks(state, work, round) : planRound(state, work, last);
}

function planRound(state: SessionState, work: SpecWork, last: Turn | undefined): SpecPlan {
  if (work.kind === 'check') {
    return { kind: 'beginRound', work };
  }
  if (!last || last.number <= Math.max(work.before.turn, work.round?.turn ?? 0)) {
    return awaitedMessage(state, work);
  }
  const { outcome, failure } = last.agent ?? {};
  if (outcome === 'stopped') {
    return { kind: 'end', work, outcome: 'stopped', reason: 'The build was stopped with its turn.' };
  }
  if (outcome === 'failed' && failure && !failure.retryable) {
    const reason = `The build ended with a turn that failed: ${failure.message}`;
    return { kind: 'end', work, outcome: failure.code === 'budget_spent' ? 'budget' : 'failed', reason };
  }
  return { kind: 'beginRound', work };
}

/** The message of the next turn was handed over and its turn begins, or a person took it back. */
function awaitedMessage(state: SessionState, work: SpecWork): SpecPlan {
  return state.items.some(item => item.kind === 'message' && item.id === work.messageId)
    ? NONE
    : { kind: 'end', work, outcome: 'stopped', reason: 'The build was stopped: its message was taken back.' };
}

function planAfterChecks(state: SessionState, work: SpecWork, round: SpecRound): SpecPlan {
  if (round.asked) {
    return awaitedMessage(state, work);
  }
  const results = Object.values(round.results);
  if (work.kind === 'check' || results.some(({ outcome }) => outcome === 'failed')) {
    return { kind: 'judge', work, round };
  }
  const open = checksOf(work.document).flatMap(({ key, item, check }) =>
    check.kind === 'question' && !round.results[key] ? [{ key, item, question: check.question }] : [],
  );
  if (open.length === 0) {
    return { kind: 'judge', work, round };
  }
  const questions = open.filter(({ key }) => !state.approvals.some(({ id }) => id === questionId(work, round, key)));
  return questions.length === 0 ? { kind: 'wait' } : { kind: 'ask', work, round, questions };
}

/** The events of a plan that needs nothing but the log. @param now milliseconds since the epoch */
export function specEventsOf(state: SessionState, now: number): EventBody[] {
  const plan = planSpec(state);
  switch (plan.kind) {
    case 'none':
    case 'wait':
    case 'check':
      return [];
    case 'beginRound':
      return [beginRound(state, plan.work)];
    case 'ask':
      return plan.questions.map(question => ask(plan.work, plan.round, question));
    case 'judge':
      return judge(state, plan.work, plan.round, now);
    case 'end':
      return [end(plan.work, plan.outcome, plan.reason)];
  }
}

function beginRound(state: SessionState, work: SpecWork): EventBody {
  return {
    type: 'specRoundStarted',
    work: work.seq,
    round: (work.round?.number ?? 0) + 1,
    turn: state.turns.at(-1)?.number ?? 0,
    commit: currentCheckpoint(state),
  };
}

function ask(
  work: SpecWork,
  round: SpecRound,
  { key, item, question }: { key: string; item: number; question: string },
): EventBody {
  return {
    type: 'approvalAsked',
    approvalId: questionId(work, round, key),
    kind: 'questions',
    name: 'Spec',
    title: question,
    input: { text: JSON.stringify({ question }) },
    reason: `Item ${item + 1} of the spec: ${work.document.items[item]?.title ?? ''}`,
    questions: [{ question, header: 'Spec', multiSelect: false, options: [{ label: 'Yes' }, { label: 'No' }] }],
    canAlwaysAllow: false,
  };
}

function judge(state: SessionState, work: SpecWork, round: SpecRound, now: number): EventBody[] {
  const { items } = work.document;
  const passed = items.filter((_, index) => itemState(work, index) === 'passed').length;
  const count = `${passed} of ${items.length} items pass`;
  if (work.kind === 'check') {
    const questions = checksOf(work.document).filter(({ check }) => check.kind === 'question').length;
    const failed = Object.values(round.results).filter(({ outcome }) => outcome === 'failed').length;
    const asked =
      questions === 0 ? '' : ` ${questions === 1 ? 'A question was' : `${questions} questions were`} not asked.`;
    const what = failed === 0 ? 'Every check that Sandpiper runs passes.' : `${count}; ${failed} checks failed.`;
    return [end(work, failed === 0 && questions === 0 ? 'passed' : 'notPassed', what + asked)];
  }
  const turns = (state.turns.at(-1)?.number ?? 0) - work.before.turn;
  if (passed === items.length) {
    return [end(work, 'passed', `Every check of the spec passes after ${turns} ${turns === 1 ? 'turn' : 'turns'}.`)];
  }
  const spent = spentBudget(state, work, turns, now);
  if (spent !== undefined) {
    return [end(work, 'budget', `${spent} ${count}.`)];
  }
  const stuckAfter = work.budget?.stuckAfter ?? 3;
  if (unchangedRounds(round) >= stuckAfter) {
    return [end(work, 'stuck', `No check changed in ${stuckAfter} turns. ${count}.`)];
  }
  const messageId = newId('msg', now);
  return [
    { type: 'messageQueued', messageId, text: nextMessage(work), by: 'relay' },
    { type: 'specTurnAsked', work: work.seq, round: round.number, messageId },
  ];
}

function spentBudget({ usage }: SessionState, work: SpecWork, turns: number, now: number): string | undefined {
  const { maxTurns = 10, maxCostUsd, maxMinutes } = work.budget ?? {};
  if (turns >= maxTurns) {
    return `The build took all of its ${maxTurns} ${maxTurns === 1 ? 'turn' : 'turns'}.`;
  }
  if (maxCostUsd !== undefined && usage.costUsd - work.before.costUsd >= maxCostUsd) {
    return `The build cost $${(usage.costUsd - work.before.costUsd).toFixed(2)} of its $${maxCostUsd.toFixed(2)}.`;
  }
  const minutes = (now - work.startedAt - work.waitedMs) / 60_000;
  return maxMinutes !== undefined && minutes >= maxMinutes
    ? `The build took ${Math.floor(minutes)} of its ${maxMinutes} minutes.`
    : undefined;
}

function end(work: SpecWork, outcome: SpecOutcome, reason: string): EventBody {
  return { type: 'specWorkEnded', work: work.seq, outcome, reason };
}

/** A person wants no more of it. */
export function stopSpec(state: SessionState): EventBody[] {
  const work = openWork(state);
  return work ? [end(work, 'stopped', `The ${work.kind === 'build' ? 'build' : 'checking'} was stopped.`)] : [];
}
