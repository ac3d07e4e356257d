import type { PullRequestStatus } from './pullRequestStatus.ts';
import { t } from './text.ts';

interface PullRequestLike {
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  status?: PullRequestStatus | undefined;
}

/** One word for where it is: draft, open, merged or closed. */
export function pullRequestWord({ state, draft }: PullRequestLike): 'draft' | 'open' | 'merged' | 'closed' {
  return draft && state === 'open' ? 'draft' : state;
}

/** What of it needs somebody, the most urgent first; empty when nothing does, or it is over. */
export type PullRequestNeed =
  | { kind: 'conflicts' }
  | { kind: 'failed'; names: readonly string[] }
  | { kind: 'changesRequested' }
  | { kind: 'unanswered'; count: number }
  | { kind: 'behind'; count: number };

export function pullRequestNeeds({ state, status }: PullRequestLike): PullRequestNeed[] {
  if (state !== 'open' || !status) {
    return [];
  }
  const { checks, review, unanswered, conflicts, behind = 0 } = status;
  return [
    ...(conflicts === true ? [{ kind: 'conflicts' } as const] : []),
    ...(checks.state === 'failed' ? [{ kind: 'failed', names: checks.failed } as const] : []),
    ...(review === 'changesRequested' ? [{ kind: 'changesRequested' } as const] : []),
    ...(unanswered > 0 ? [{ kind: 'unanswered', count: unanswered } as const] : []),
    ...(behind > 0 ? [{ kind: 'behind', count: behind } as const] : []),
  ];
}

/** For a row: where it is, or the most urgent of what it needs. */
export function pullRequestBrief(pull: PullRequestLike): string {
  const [first] = pullRequestNeeds(pull);
  return first ? (first.kind === 'failed' ? t('checks failed') : needText(first)) : wordText(pull);
}

/** For a line: `draft, checks failed: test, 2 threads open`. */
export function pullRequestText(pull: PullRequestLike): string {
  const { status } = pull;
  const needs = pullRequestNeeds(pull).map(needText);
  const checks = pull.state === 'open' && status ? checksText(status.checks.state) : undefined;
  const approved = pull.state === 'open' && status?.review === 'approved' ? t('approved') : undefined;
  return [wordText(pull), checks, approved, ...needs].filter(part => part !== undefined).join(', ');
}

function wordText(pull: PullRequestLike): string {
  switch (pullRequestWord(pull)) {
    case 'draft':
      return t('draft');
    case 'open':
      return t('open');
    case 'merged':
      return t('merged');
    case 'closed':
      return t('closed');
  }
}

function checksText(state: PullRequestStatus['checks']['state']): string | undefined {
  return state === 'passed' ? t('checks passed') : state === 'pending' ? t('checks running') : undefined;
}

export function needText(need: PullRequestNeed): string {
  switch (need.kind) {
    case 'conflicts':
      return t('conflicts with its base');
    case 'failed':
      return t('checks failed: {0}', need.names.join(', '));
    case 'changesRequested':
      return t('changes requested');
    case 'unanswered':
      return need.count === 1 ? t('1 thread open') : t('{0} threads open', need.count);
    case 'behind':
      return t('{0} behind its base', need.count);
  }
}
