import type { CallResult } from './calls.ts';
import { isRecoverable } from './activity.ts';
import { askLine } from './asking.ts';
import type { SessionState, Turn } from './session.ts';
import { summarize } from './summarize.ts';
import { t } from './text.ts';

export type AwaySummary = CallResult<'attention.away'>;

/** What happened in sessions between two moments, for somebody who comes back. A session stands in one list only. */
export function awaySummary(states: Iterable<SessionState>, since: number, until: number): AwaySummary {
  const away: AwaySummary = { since, until, finished: [], waiting: [], failed: [], costUsd: 0 };
  for (const state of states) {
    const row = { sessionId: state.id, title: state.title, repository: state.repository.name };
    const ended = state.turns.filter(({ agent }) => agent && agent.at > since && agent.at <= until);
    const costUsd = ended.reduce((sum, { agent }) => sum + (agent?.usage.costUsd ?? 0), 0);
    away.costUsd += costUsd;
    const trouble = troubleOf(state, ended);
    if (state.archived) {
      continue;
    }
    if (state.approvals.length > 0) {
      away.waiting.push({ ...row, asks: state.approvals.map(askLine) });
    } else if (trouble !== undefined && state.updatedAt > since) {
      away.failed.push({ ...row, message: trouble });
    } else if (ended.length > 0) {
      away.finished.push({ ...row, turns: ended.length, files: state.stats.files, costUsd });
    }
  }
  return away;
}

export function isEmptyAway({ finished, waiting, failed }: AwaySummary): boolean {
  return finished.length + waiting.length + failed.length === 0;
}

/** One sentence: `2 finished, 1 waits for you, $0.42 spent`. */
export function awayText({ finished, waiting, failed, costUsd }: AwaySummary): string {
  return [
    ...(finished.length > 0 ? [t('{0} finished', finished.length)] : []),
    ...(waiting.length > 0
      ? [waiting.length === 1 ? t('{0} waits for you', 1) : t('{0} wait for you', waiting.length)]
      : []),
    ...(failed.length > 0 ? [t('{0} failed', failed.length)] : []),
    ...(costUsd > 0 ? [t('{0} spent', costUsd < 0.01 ? '<$0.01' : `$${costUsd.toFixed(2)}`)] : []),
  ].join(', ');
}

function troubleOf(state: SessionState, ended: readonly Turn[]): string | undefined {
  if (state.phase.kind === 'blocked') {
    return state.phase.failure.message;
  }
  const summary = summarize(state);
  if (isRecoverable(summary) && summary.needsYou > 0) {
    return summary.activity;
  }
  const last = ended.at(-1)?.agent;
  return last?.outcome === 'failed' ? (last.failure?.message ?? 'The turn failed.') : undefined;
}
