import { isRecoverable, summaryText } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';

export type GroupId = 'needsYou' | 'running' | 'ready' | 'done' | 'archived';

export interface SessionGroup {
  id: GroupId;
  label: string;
  sessions: SessionSummary[];
}

const LABELS: Record<GroupId, string> = {
  needsYou: 'Needs You',
  running: 'Running',
  ready: 'Ready to Review',
  done: 'Done',
  archived: 'Archived',
};
const ORDER: readonly GroupId[] = ['needsYou', 'running', 'ready', 'done', 'archived'];

/** Where a session stands in the list: what a person should look at comes first. */
export function groupOf(summary: SessionSummary): GroupId {
  if (summary.archived) {
    return 'archived';
  }
  if (summary.needsYou > 0 || summary.phase === 'blocked') {
    return 'needsYou';
  }
  if (summary.phase !== 'idle') {
    return 'running';
  }
  return summary.pending ? 'ready' : 'done';
}

/** The groups that have sessions, each with the newest activity first. */
export function groupSessions(summaries: Iterable<SessionSummary>): SessionGroup[] {
  const byGroup = new Map<GroupId, SessionSummary[]>();
  for (const summary of summaries) {
    const group = groupOf(summary);
    byGroup.set(group, [...(byGroup.get(group) ?? []), summary]);
  }
  return ORDER.flatMap(id => {
    const sessions = byGroup.get(id);
    return sessions
      ? [{ id, label: LABELS[id], sessions: sessions.sort((one, other) => other.updatedAt - one.updatedAt) }]
      : [];
  });
}

/** The grey text beside the title: what it does, where, for how much, how large. */
export function describeSession(summary: SessionSummary, now: number): string {
  return [
    summaryText(summary, now),
    summary.repository.name,
    ...(summary.usage.costUsd > 0 ? [formatCost(summary.usage.costUsd)] : []),
    ...(summary.stats.files > 0 ? [count(summary.stats.files, 'file')] : []),
    ...(summary.pullRequest ? [`#${summary.pullRequest.number}`] : []),
  ].join(' · ');
}

/** Several lines of plain text. Titles come from prompts, so this is never rendered as Markdown. */
export function sessionTooltip(summary: SessionSummary, now: number): string {
  const { stats, usage, repository, pullRequest } = summary;
  return [
    summary.title,
    summaryText(summary, now),
    `Repository: ${repository.name}${repository.branch === undefined ? '' : ` (${repository.branch})`}`,
    `Changes: ${count(stats.files, 'file')}, +${stats.insertions} -${stats.deletions}`,
    `Isolation: ${summary.isolation} (${summary.provider})`,
    `Tokens: ${usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens} in, ${usage.outputTokens} out, ${formatCost(usage.costUsd)}`,
    ...(pullRequest
      ? [`Pull request: #${pullRequest.number} (${pullRequest.draft ? 'draft' : pullRequest.state})`]
      : []),
  ].join('\n');
}

/**
 * The `viewItem` of a row for `when` clauses: words, each matched with `\b`. `session`, the group, and what can be done:
 * `stoppable`, `reviewable`, `landable`, `landed`, `asking`, `recoverable`.
 */
export function sessionContext(summary: SessionSummary): string {
  const running = ['preparing', 'working', 'stopping'].includes(summary.phase);
  return [
    'session',
    groupOf(summary),
    ...(running ? ['stoppable'] : []),
    ...(summary.pending ? ['reviewable'] : []),
    ...(summary.stats.files > 0 && !summary.archived ? ['landable'] : []),
    ...(summary.pullRequest ? ['landed'] : []),
    ...(openQuestions(summary) > 0 ? ['asking'] : []),
    ...(isRecoverable(summary) ? ['recoverable'] : []),
  ].join(' ');
}

/** Questions that wait for an answer; a session that only needs to be recovered has none. */
export function openQuestions(summary: SessionSummary): number {
  return Math.max(0, summary.needsYou - (isRecoverable(summary) ? 1 : 0));
}

/** Dollars as people read them: cents when there are any, more digits when there are none. */
export function formatCost(costUsd: number): string {
  return costUsd >= 0.01 || costUsd === 0 ? `$${costUsd.toFixed(2)}` : '<$0.01';
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
