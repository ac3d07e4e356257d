import { isRecoverable } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { openQuestions } from './sessionGroups.ts';

/** Why a person is called. */
export type Call = 'approval' | 'turnFinished' | 'failed';

export interface AttentionSituation {
  /** The session whose chat is visible in this window now. */
  visibleSessionId: string | undefined;
  /** Sessions that were started or opened in this window. */
  openedIds: ReadonlySet<string>;
  /** Absolute paths of the folders that are open in this window. */
  folders: readonly string[];
  enabled: Readonly<Record<Call, boolean>>;
}

/**
 * Whether a change of a session is worth a notification.
 * @param before what this window knew; undefined for a session that it hears of for the first time, which is no news
 */
export function decideCall(
  before: SessionSummary | undefined,
  after: SessionSummary,
  situation: AttentionSituation,
): Call | undefined {
  if (!before || after.archived || after.id === situation.visibleSessionId || !concernsWindow(after, situation)) {
    return undefined;
  }
  const call = news(before, after);
  return call !== undefined && situation.enabled[call] ? call : undefined;
}

function news(before: SessionSummary, after: SessionSummary): Call | undefined {
  // What the relay mends by itself needs nobody.
  const isLost = (summary: SessionSummary) => isRecoverable(summary) && summary.needsYou > 0;
  if (isLost(after)) {
    return isLost(before) ? undefined : 'failed';
  }
  if (openQuestions(after) > openQuestions(before)) {
    return 'approval';
  }
  const worked = before.phase === 'working' || before.phase === 'stopping' || before.phase === 'checkpointing';
  return worked && after.phase === 'idle' ? 'turnFinished' : undefined;
}

/** Several windows share one relay: only the one that has the repository open, or the session, calls its person. */
function concernsWindow(summary: SessionSummary, { openedIds, folders }: AttentionSituation): boolean {
  const { source } = summary.repository;
  return openedIds.has(summary.id) || folders.some(folder => isInside(folder, source) || isInside(source, folder));
}

function isInside(path: string, folder: string): boolean {
  const slashed = (text: string) => text.replaceAll('\\', '/').replace(/\/+$/, '');
  return `${slashed(path)}/`.startsWith(`${slashed(folder)}/`);
}
