import type { Payload } from './eventParts.ts';
import { checksOf } from './specChecks.ts';
import type { Spec, SpecCheck } from './spec.ts';
import type { SpecBudget, SpecOutcome, SpecRef } from './specEvents.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { t } from './text.ts';

/** A spec that is built or checked in a session, or the last one that was. */
export interface SpecWork {
  /** Its name: the seq of its start. */
  seq: number;
  kind: 'build' | 'check';
  spec: SpecRef;
  /** As it was at the start. */
  document: Spec;
  budget?: SpecBudget;
  by: string;
  startedAt: number;
  /** The last turn before it, and what the session had cost by then. */
  before: { turn: number; costUsd: number };
  /** The message that begins it, then the one that its last round asked the next turn with. */
  messageId?: string;
  round?: SpecRound;
  /** How long people were waited for. */
  waitedMs: number;
  ended?: { outcome: SpecOutcome; reason: string; at: number };
}

/** All checks, after one turn. */
export interface SpecRound {
  number: number;
  turn: number;
  commit: string;
  startedAt: number;
  /** By the name of the check. */
  results: Record<string, CheckResult>;
  /** How the checks came out in the round before. */
  previous: Record<string, CheckResult['outcome']>;
  /** Rounds in a row, before this one, that came out as the one before them. */
  unchanged: number;
  /** The next turn was asked for. */
  asked: boolean;
}

export interface CheckResult {
  outcome: 'passed' | 'failed';
  detail: string;
  durationMs: number;
  at: number;
  output?: Payload;
}

/** How far a spec is, for a list. */
export interface SpecProgress {
  specId: string;
  revision: number;
  title: string;
  kind: SpecWork['kind'];
  round: number;
  passed: number;
  checks: number;
  items: { passed: number; of: number };
  outcome?: SpecOutcome;
}

const QUESTION_PREFIX = 'spec:';

/** The approval by which a person is asked a check of this round. */
export function questionId(work: SpecWork, round: SpecRound, check: string): string {
  return `${QUESTION_PREFIX}${work.seq}:${round.number}:${check}`;
}

/** Whether an approval is a question of a spec: the relay asked it, and no agent waits for the answer. */
export function isSpecQuestion(approvalId: string): boolean {
  return approvalId.startsWith(QUESTION_PREFIX);
}

/** The work that is under way. */
export function openWork({ spec }: Pick<SessionState, 'spec'>): SpecWork | undefined {
  return spec && !spec.ended ? spec : undefined;
}

/** The next check that the relay runs by itself, in the round that is under way. */
export function nextCheck(
  work: SpecWork,
): { key: string; check: Exclude<SpecCheck, { kind: 'question' }> } | undefined {
  const { round } = work;
  for (const { key, check } of round ? checksOf(work.document) : []) {
    if (check.kind !== 'question' && !round?.results[key]) {
      return { key, check };
    }
  }
  return undefined;
}

export type ItemState = 'passed' | 'failed' | 'open';

/** What the last round says of an item: failed by one failed check, passed by all. */
export function itemState(work: SpecWork, item: number): ItemState {
  const results = checksOf(work.document)
    .filter(check => check.item === item)
    .map(({ key }) => work.round?.results[key]?.outcome);
  if (results.includes('failed')) {
    return 'failed';
  }
  return results.every(outcome => outcome === 'passed') ? 'passed' : 'open';
}

export function progressOf(work: SpecWork): SpecProgress {
  const results = Object.values(work.round?.results ?? {});
  const states = work.document.items.map((_, index) => itemState(work, index));
  return {
    ...work.spec,
    kind: work.kind,
    round: work.round?.number ?? 0,
    passed: results.filter(({ outcome }) => outcome === 'passed').length,
    checks: checksOf(work.document).length,
    items: { passed: states.filter(state => state === 'passed').length, of: states.length },
    ...(work.ended ? { outcome: work.ended.outcome } : {}),
  };
}

/** One line for a row, a tooltip, a terminal. */
export function progressText({ items, outcome, kind, round }: SpecProgress): string {
  const count = t('{0} of {1} items pass', items.passed, items.of);
  if (outcome === undefined) {
    if (round === 0) {
      return t('Building the spec');
    }
    return kind === 'build' ? t('Building: {0}', count) : t('Checking: {0}', count);
  }
  switch (outcome) {
    case 'passed':
      return t('All checks pass');
    case 'notPassed':
      return count;
    case 'budget':
      return t('The budget ended: {0}', count);
    case 'stuck':
      return t('Stuck: {0}', count);
    case 'stopped':
      return t('Stopped: {0}', count);
    case 'failed':
      return t('Failed: {0}', count);
  }
}

/** The sessions that a spec is or was last built in. */
export function sessionsOfSpec(specId: string, sessions: readonly SessionSummary[]): SessionSummary[] {
  return sessions.filter(({ spec }) => spec?.specId === specId);
}

/** Whether a spec is built or checked in a session. */
export function isBuilding({ spec }: Pick<SessionSummary, 'spec'>): boolean {
  return spec !== undefined && spec.outcome === undefined;
}
