import { isCounted, isRecoverable, summaryText } from '../../../protocol/activity.ts';
import { askLine } from '../../../protocol/asking.ts';
import { originText, type Origin } from '../../../protocol/origin.ts';
import { pullRequestBrief, pullRequestText } from '../../../protocol/pullRequestText.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { groupOf } from '../../../protocol/sessionGroup.ts';
import { isBuilding, progressText } from '../../../protocol/specWork.ts';
import { count, dateTime, t } from '../../../protocol/text.ts';

/** The grey text beside the title: what it does, where, for how much, how large, since when, and its tags. */
export function describeSession(summary: SessionSummary, now: number): string {
  const { repository, usage, stats, pullRequest } = summary;
  const age = ageText(summary, now);
  return [
    summaryText(summary, now),
    ...(summary.origin ? [originLabel(summary.origin)] : []),
    ...(summary.spec ? [t('spec {0}/{1}', summary.spec.items.passed, summary.spec.items.of)] : []),
    repository.branch === undefined ? repository.name : `${repository.name} (${repository.branch})`,
    ...(summary.provider === 'local' ? [] : [summary.provider]),
    ...(usage.costUsd > 0 ? [formatCost(usage.costUsd)] : []),
    ...(stats.files > 0 ? [count(stats.files, 'file')] : []),
    ...(pullRequest ? [`#${pullRequest.number} ${pullRequestBrief(pullRequest)}`] : []),
    ...(age === undefined ? [] : [age]),
    ...(summary.tags ?? []),
  ].join(' · ');
}

/** Short, for a row: what began it. */
function originLabel({ kind, number }: Origin): string {
  return kind === 'issue' ? t('issue #{0}', number) : t('from #{0}', number);
}

/** What the tooltip says below the title, as names and values of plain text. */
export function sessionFacts(summary: SessionSummary, now: number): { name: string; value: string }[] {
  const { stats, usage, repository, pullRequest, tags, asking } = summary;
  const tokensIn = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const age = ageText(summary, now);
  return [
    { name: t('State'), value: [summaryText(summary, now), ...(age === undefined ? [] : [age])].join(', ') },
    ...(asking ?? []).map(ask => ({ name: t('Asks'), value: askLine(ask) })),
    ...(summary.spec ? [{ name: t('Spec'), value: `${summary.spec.title}. ${progressText(summary.spec)}` }] : []),
    ...(summary.origin ? [{ name: t('From'), value: `${originText(summary.origin)}: ${summary.origin.url}` }] : []),
    { name: t('Repository'), value: repository.name },
    ...(repository.branch === undefined ? [] : [{ name: t('Branch'), value: repository.branch }]),
    { name: t('Changes'), value: `${count(stats.files, 'file')}, +${stats.insertions} -${stats.deletions}` },
    { name: t('Sandbox'), value: t('{0}, isolation {1}', summary.provider, summary.isolation) },
    {
      name: t('Cost'),
      value: t('{0} ({1} tokens in, {2} out)', formatCost(usage.costUsd), tokensIn, usage.outputTokens),
    },
    { name: t('Started'), value: dateTime(summary.createdAt) },
    ...(pullRequest
      ? [{ name: t('Pull request'), value: `#${pullRequest.number}: ${pullRequestText(pullRequest)}` }]
      : []),
    ...(tags ? [{ name: t('Tags'), value: tags.join(', ') }] : []),
  ];
}

/** For how long nothing has happened; undefined where the activity itself says how long it takes. */
function ageText({ doing, updatedAt }: SessionSummary, now: number): string | undefined {
  if (doing && (isCounted(doing) || doing.kind === 'stuck')) {
    return undefined;
  }
  const ageMs = now - (doing?.since ?? updatedAt);
  return ageMs < 60_000 ? undefined : elapsedWords(ageMs);
}

/** A time of minutes or more, roughly: `5 min`, `3 h`, `2 days`. */
export function elapsedWords(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  return minutes < 60 ? t('{0} min', minutes) : hours < 48 ? t('{0} h', hours) : t('{0} days', Math.floor(hours / 24));
}

/**
 * The `viewItem` of a row for `when` clauses: words, each matched with `\b`. `session`, the group, and what can be done:
 * `stoppable`, `reviewable`, `landable`, `landed`, `tendable`, `asking`, `recoverable`, and `pinned` or `unpinned`.
 */
export function sessionContext(summary: SessionSummary): string {
  return [
    'session',
    groupOf(summary),
    ...(isStoppable(summary) ? ['stoppable'] : []),
    ...(summary.pending ? ['reviewable'] : []),
    ...(summary.stats.files > 0 && !summary.archived ? ['landable'] : []),
    ...(summary.pullRequest ? ['landed'] : []),
    ...(isTendable(summary) ? ['tendable'] : []),
    ...(openQuestions(summary) > 0 ? ['asking'] : []),
    ...(isRecoverable(summary) ? ['recoverable'] : []),
    ...(summary.archived ? [] : [summary.pinned === true ? 'pinned' : 'unpinned']),
  ].join(' ');
}

/** Whether something can be done about its pull request. */
export function isTendable({ archived, pullRequest }: Pick<SessionSummary, 'archived' | 'pullRequest'>): boolean {
  return !archived && pullRequest?.state === 'open';
}

/** Whether there is something that *Stop* stops. */
export function isStoppable(summary: Pick<SessionSummary, 'phase' | 'spec' | 'doing'>): boolean {
  return (
    ['preparing', 'working', 'stopping'].includes(summary.phase) ||
    isBuilding(summary) ||
    summary.doing?.kind === 'moving'
  );
}

/** Questions that wait for an answer; a session that only needs to be recovered has none. */
export function openQuestions(summary: SessionSummary): number {
  return Math.max(0, summary.needsYou - (isRecoverable(summary) ? 1 : 0));
}

/** Dollars as people read them: cents when there are any, more digits when there are none. */
export function formatCost(costUsd: number): string {
  return costUsd >= 0.01 || costUsd === 0 ? `$${costUsd.toFixed(2)}` : '<$0.01';
}
