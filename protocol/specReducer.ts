import type { ApprovalDecision, EventOf } from './events.ts';
import { notice, phaseOfTurns, type Handlers, type Patch } from './reducerParts.ts';
import type { SessionState } from './session.ts';
import { isSpecQuestion, openWork, progressOf, progressText, type CheckResult, type SpecWork } from './specWork.ts';

/* The part of the reducer that follows the building of a spec. */

type SpecEvent = 'specWorkStarted' | 'specRoundStarted' | 'specChecked' | 'specTurnAsked' | 'specWorkEnded';

export const specHandlers: Handlers<SpecEvent> = {
  specWorkStarted: (state, { type: _type, budget, messageId, ...started }, { at, seq, items }) => {
    const { title, revision } = started.spec;
    const what = started.kind === 'build' ? 'Build the spec' : 'Run the checks of the spec';
    items.add(notice(seq, at, 'info', `${what} “${title}” (revision ${revision}).`));
    return {
      ...withoutQuestions(state, 'Another spec was begun.'),
      spec: {
        ...started,
        ...(budget ? { budget } : {}),
        ...(messageId === undefined ? {} : { messageId }),
        seq,
        startedAt: at,
        before: { turn: state.turns.at(-1)?.number ?? 0, costUsd: state.usage.costUsd },
        waitedMs: 0,
      },
    };
  },
  specRoundStarted: (state, { work: seq, round: number, turn, commit }, { at }) => {
    const work = openWork(state);
    if (work?.seq !== seq) {
      return {};
    }
    const previous = outcomes(work);
    return {
      ...withoutQuestions(state, 'The checks begin again.'),
      spec: {
        ...work,
        round: {
          number,
          turn,
          commit,
          startedAt: at,
          results: {},
          previous,
          unchanged: work.round ? unchangedRounds(work.round) : 0,
          asked: false,
        },
      },
    };
  },
  specChecked: (state, { check, outcome, detail, durationMs, output, ...body }, { at }) =>
    withResult(state, body, check, { outcome, detail, durationMs, at, ...(output ? { output } : {}) }),
  specTurnAsked: (state, { work: seq, messageId }, { at, seq: eventSeq, items }) => {
    const work = openWork(state);
    if (work?.seq !== seq || !work.round) {
      return {};
    }
    items.add(
      notice(eventSeq, at, 'info', `${progressText(progressOf(work))}. The next turn goes on with the others.`),
    );
    return { spec: { ...work, messageId, round: { ...work.round, asked: true } } };
  },
  specWorkEnded: (state, { work: seq, outcome, reason }, { at, seq: eventSeq, items }) => {
    const work = openWork(state);
    if (work?.seq !== seq) {
      return {};
    }
    const level = outcome === 'passed' || outcome === 'stopped' || outcome === 'notPassed' ? 'info' : 'warning';
    items.add(notice(eventSeq, at, level, reason));
    return {
      ...withoutQuestions(state, reason),
      ...afterPreparing(state, at),
      spec: { ...work, ended: { outcome, reason, at } },
    };
  },
};

/** What a chat becomes. */
export const extractHandlers: Handlers<'specExtractAsked' | 'specExtracted'> = {
  specExtractAsked: (_state, { messageId, by }, { at }) => ({ extracting: { messageId, by, since: at } }),
  specExtracted: (state, { messageId, spec, problem }, { at, seq, items }) => {
    if (state.extracting?.messageId !== messageId) {
      return {};
    }
    items.add(
      spec
        ? notice(seq, at, 'info', `The spec “${spec.title}” was written. It is in the list of specs.`)
        : notice(
            seq,
            at,
            'warning',
            problem ?? 'No spec came of it.',
            'Nothing is lost: tell the agent, then extract it again.',
          ),
    );
    return { extracting: undefined, ...(spec ? { extracted: { ...spec, seq } } : {}) };
  },
};

/** A sandbox that was made for a check waits for no agent. */
function afterPreparing({ phase, turns }: SessionState, at: number): Patch {
  return phase.kind === 'preparing' ? { phase: phaseOfTurns(turns, at) } : {};
}

/** A build does not outlive what it builds on: the session went away, or back to another turn. */
export function endedWork(state: SessionState, reason: string, at: number): Patch {
  const work = openWork(state);
  return work
    ? { ...withoutQuestions(state, reason), spec: { ...work, ended: { outcome: 'stopped', reason, at } } }
    : {};
}

/** A person answered what a check asked. @param askedAt when it was asked */
export function withAnswer(
  state: SessionState,
  { approvalId, decision, by }: EventOf<'approvalAnswered'>,
  askedAt: number,
  at: number,
): Patch {
  const [, work, round, check] = /^spec:(\d+):(\d+):(.+)$/.exec(approvalId) ?? [];
  if (check === undefined) {
    return {};
  }
  const durationMs = Math.max(0, at - askedAt);
  const { spec, ...rest } = withResult(state, { work: Number(work), round: Number(round) }, check, {
    ...outcomeOf(decision, by),
    durationMs,
    at,
  });
  // Questions of one round are asked together: the last answer ends the wait.
  const isLast = state.approvals.filter(({ id }) => isSpecQuestion(id)).length === 1;
  const waitedMs = (spec?.waitedMs ?? 0) + (isLast ? durationMs : 0);
  return spec ? { ...rest, spec: { ...spec, waitedMs } } : rest;
}

function outcomeOf(decision: ApprovalDecision, by: string): Pick<CheckResult, 'outcome' | 'detail'> {
  if (decision.kind === 'allow') {
    return { outcome: 'passed', detail: `Yes, says ${by}.` };
  }
  const answer = decision.kind === 'deny' ? decision.message : Object.values(decision.answers)[0];
  if (decision.kind === 'answers' && answer === 'Yes') {
    return { outcome: 'passed', detail: `Yes, says ${by}.` };
  }
  const words = answer === undefined || answer === '' || answer === 'No' ? '' : `: ${answer}`;
  return { outcome: 'failed', detail: `No, says ${by}${words === '' ? '.' : words}` };
}

function withResult(
  state: SessionState,
  { work: seq, round: number }: { work: number; round: number },
  check: string,
  result: CheckResult,
): Patch {
  const work = openWork(state);
  const round = work?.round;
  // The first result of a check counts, whoever runs it again.
  if (work?.seq !== seq || round?.number !== number || round.results[check]) {
    return {};
  }
  return {
    ...afterPreparing(state, result.at),
    spec: { ...work, round: { ...round, results: { ...round.results, [check]: result } } },
  };
}

function outcomes(work: SpecWork): Record<string, CheckResult['outcome']> {
  return Object.fromEntries(Object.entries(work.round?.results ?? {}).map(([key, { outcome }]) => [key, outcome]));
}

/** Rounds in a row, this one included, in which no check came out otherwise than before. */
export function unchangedRounds({ number, results, previous, unchanged }: NonNullable<SpecWork['round']>): number {
  const same =
    number > 1 &&
    Object.entries(results).every(([key, { outcome }]) => previous[key] === undefined || previous[key] === outcome);
  const asMany = Object.keys(results).length === Object.keys(previous).length;
  return same && asMany ? unchanged + 1 : 0;
}

/** Nobody waits for the answers any more. */
function withoutQuestions(state: SessionState, reason: string): Patch {
  const open = state.approvals.filter(({ id }) => isSpecQuestion(id));
  return open.length === 0
    ? {}
    : {
        approvals: state.approvals.filter(({ id }) => !isSpecQuestion(id)),
        answered: [...state.answered, ...open.map(one => ({ ...one, answer: { withdrawn: reason } }))].slice(-50),
      };
}
