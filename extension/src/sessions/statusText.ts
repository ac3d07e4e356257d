import { summaryText } from '../../../protocol/activity.ts';
import { retryText } from '../../../protocol/retryText.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { ConnectionState } from '../../../protocol/webviewApi.ts';
import { groupOf } from './sessionGroups.ts';
import type { GroupId } from './sessionGroups.ts';

export interface StatusText {
  /** With codicons; undefined hides the item. */
  text: string;
  tooltip: string;
  /** What a screen reader says. */
  label: string;
  /** What a click does. */
  command: 'sandpiper.openSession' | 'sandpiper.reconnectRelay';
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
    const words = connection === 'refused' ? 'relay refused' : 'relay offline';
    const retry = connection === 'refused' ? undefined : retryText(retryInMs);
    return {
      text: `$(debug-disconnect) ${words}${retryInMs === undefined ? '' : `, ${Math.max(1, Math.ceil(retryInMs / 1000))} s`}`,
      tooltip: [`Sandpiper: ${detail ?? words}`, ...(retry === undefined ? [] : [retry]), 'Click to retry now.'].join(
        '\n',
      ),
      label: `Sandpiper: ${words}, retry now`,
      command: 'sandpiper.reconnectRelay',
      emphasis: connection === 'refused' ? 'error' : 'warning',
    };
  }
  const counts: Record<GroupId, number> = { needsYou: 0, running: 0, ready: 0, done: 0, archived: 0 };
  const lines: string[] = [];
  for (const summary of summaries) {
    const group = groupOf(summary);
    counts[group]++;
    if ((group === 'running' || group === 'needsYou') && lines.length < MAX_LINES) {
      lines.push(`${summary.title}: ${summaryText(summary, now)}`);
    }
  }
  const words = wordsFor(counts);
  const spoken = `Sandpiper: ${words ?? 'no session is running'}`;
  return {
    text: `$(${iconFor(counts)}) ${words ?? 'Sandpiper'}`,
    tooltip: [connection === 'connecting' ? `${spoken}. Connecting to the relay…` : spoken, ...lines].join('\n'),
    label: spoken,
    command: 'sandpiper.openSession',
    emphasis: counts.needsYou > 0 ? 'warning' : 'none',
  };
}

function wordsFor({ running, needsYou, ready }: Record<GroupId, number>): string | undefined {
  if (running + needsYou === 0) {
    return ready > 0 ? `${ready} to review` : undefined;
  }
  return [
    ...(running > 0 ? [`${running} running`] : []),
    ...(needsYou > 0 ? [`${needsYou} ${needsYou === 1 ? 'needs' : 'need'} you`] : []),
  ].join(', ');
}

function iconFor({ running, needsYou, ready }: Record<GroupId, number>): string {
  if (needsYou > 0) {
    return 'bell-dot';
  }
  if (running > 0) {
    return 'loading~spin';
  }
  return ready > 0 ? 'git-compare' : 'vm';
}
