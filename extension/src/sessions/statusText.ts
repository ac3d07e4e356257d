import { summaryText } from '../../../protocol/activity.ts';
import { retryText } from '../../../protocol/retryText.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { ConnectionState } from '../../../protocol/webviewApi.ts';
import { groupOf, type SessionGroupId } from '../../../protocol/sessionGroup.ts';
import { t } from '../../../protocol/text.ts';

export interface StatusText {
  /** With codicons. */
  text: string;
  tooltip: string;
  /** The sessions that run or need the person, below that. */
  rows: { sessionId: string; title: string; doing: string }[];
  /** What a screen reader says. */
  label: string;
  /** What a click does. */
  command: 'sandpiper.showSessions' | 'sandpiper.reconnectRelay';
  emphasis: 'none' | 'warning' | 'error';
}

/** Sessions whose activity the tooltip names. */
const MAX_LINES = 8;

/**
 * What the status bar says.
 * @param connection undefined while nothing has needed the relay yet
 * @param retryInMs how long until the next attempt, when one is waited for
 */
export function statusText(
  summaries: Iterable<SessionSummary>,
  connection: ConnectionState | undefined,
  detail: string | undefined,
  now: number,
  retryInMs?: number,
): StatusText {
  if (connection === 'refused' || connection === 'offline') {
    const words = connection === 'refused' ? t('relay refused') : t('relay offline');
    const retry = connection === 'refused' ? undefined : retryText(retryInMs);
    return {
      text: `$(debug-disconnect) ${retryInMs === undefined ? words : t('{0}, {1} s', words, Math.max(1, Math.ceil(retryInMs / 1000)))}`,
      tooltip: [
        t('Sandpiper: {0}', detail ?? words),
        ...(retry === undefined ? [] : [retry]),
        t('Click to retry now.'),
      ].join('\n'),
      label: t('Sandpiper: {0}, retry now', words),
      rows: [],
      command: 'sandpiper.reconnectRelay',
      emphasis: connection === 'refused' ? 'error' : 'warning',
    };
  }
  const counts: Record<SessionGroupId, number> = { needsYou: 0, running: 0, ready: 0, done: 0, archived: 0 };
  const rows: StatusText['rows'] = [];
  for (const summary of summaries) {
    const group = groupOf(summary);
    counts[group]++;
    if ((group === 'running' || group === 'needsYou') && rows.length < MAX_LINES) {
      rows.push({ sessionId: summary.id, title: summary.title, doing: summaryText(summary, now) });
    }
  }
  const words = wordsFor(counts);
  const spoken = t('Sandpiper: {0}', words ?? t('no session is running'));
  return {
    text: `$(${iconFor(counts)}) ${words ?? 'Sandpiper'}`,
    tooltip: connection === 'connecting' ? t('{0}. Connecting to the relay…', spoken) : spoken,
    rows,
    label: spoken,
    command: 'sandpiper.showSessions',
    emphasis: counts.needsYou > 0 ? 'warning' : 'none',
  };
}

function wordsFor({ running, needsYou, ready }: Record<SessionGroupId, number>): string | undefined {
  if (running + needsYou === 0) {
    return ready > 0 ? t('{0} to review', ready) : undefined;
  }
  return [
    ...(running > 0 ? [t('{0} running', running)] : []),
    ...(needsYou > 0 ? [needsYou === 1 ? t('{0} needs you', needsYou) : t('{0} need you', needsYou)] : []),
  ].join(', ');
}

function iconFor({ running, needsYou, ready }: Record<SessionGroupId, number>): string {
  if (needsYou > 0) {
    return 'bell-dot';
  }
  if (running > 0) {
    return 'loading~spin';
  }
  return ready > 0 ? 'git-compare' : 'vm';
}
