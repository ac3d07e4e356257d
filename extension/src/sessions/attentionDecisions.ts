import { isRecoverable } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { groupOf } from '../../../protocol/sessionGroup.ts';
import { isBuilding } from '../../../protocol/specWork.ts';
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
  /** The person works in this window. */
  focused: boolean;
  enabled: Readonly<Record<Call, boolean>>;
}

export interface News {
  call: Call;
  /** The same in every window. Of approvals each has its own: `eventOfApproval`. */
  event: string;
}

/**
 * Whether a change of a session is something that a person is called for.
 * @param before what this window knew; undefined for a session that it hears of for the first time, which is no news
 */
export function decideNews(before: SessionSummary | undefined, after: SessionSummary): News | undefined {
  if (!before || after.archived) {
    return undefined;
  }
  const call = callFor(before, after);
  return call && { call, event: `${after.id}:${call}:${after.doing?.since ?? after.seq}` };
}

/** The name of a call for one approval. */
export function eventOfApproval(sessionId: string, approvalId: string): string {
  return `${sessionId}:approval:${approvalId}`;
}

/** What this window does about news: nothing, see to it that no other one calls, or call unless another one does first. */
export type Turn = { kind: 'none' } | { kind: 'seen' } | { kind: 'call'; afterMs: number };

/** The window that is nearest to the person and to the session comes first; the others wait longer than it needs to. */
export function decideTurn(call: Call, after: SessionSummary, situation: AttentionSituation): Turn {
  const { visibleSessionId, focused } = situation;
  if (after.id === visibleSessionId) {
    return focused ? { kind: 'seen' } : { kind: 'none' };
  }
  if (!situation.enabled[call]) {
    return { kind: 'none' };
  }
  const isNear = isConcerned(after, situation);
  return { kind: 'call', afterMs: (isNear ? 200 : 1500) + (focused ? 0 : 500) };
}

/** Whether news still holds: meanwhile somebody may have answered, or gone on. */
export function stillHolds(call: Call, now: SessionSummary | undefined): boolean {
  if (!now || now.archived) {
    return false;
  }
  switch (call) {
    case 'approval':
      return openQuestions(now) > 0;
    case 'failed':
      return isLost(now);
    case 'turnFinished':
      return isAtRest(now);
  }
}

function callFor(before: SessionSummary, after: SessionSummary): Call | undefined {
  // What the relay mends by itself needs nobody.
  if (isLost(after)) {
    return isLost(before) ? undefined : 'failed';
  }
  if (openQuestions(after) > openQuestions(before) || hasOtherAsk(before, after)) {
    return 'approval';
  }
  const worked = ['working', 'stopping', 'checkpointing'].includes(before.phase) || isBuilding(before);
  return worked && isAtRest(after) ? 'turnFinished' : undefined;
}

/** One question was answered and the next one asked at once: their number is the same. */
function hasOtherAsk({ asking: before = [] }: SessionSummary, { asking: after = [] }: SessionSummary): boolean {
  const known = new Set(before.map(({ id }) => id));
  return before.length > 0 && after.some(({ id }) => !known.has(id));
}

/** A turn that is over is no news while the next one follows by itself. */
function isAtRest(summary: SessionSummary): boolean {
  return summary.phase === 'idle' && groupOf(summary) !== 'running';
}

function isLost(summary: SessionSummary): boolean {
  return isRecoverable(summary) && summary.needsYou > 0;
}

/** Several windows share one relay: nearest is the one that has the repository open, or the session. */
function isConcerned(
  summary: SessionSummary,
  { openedIds, folders }: Pick<AttentionSituation, 'openedIds' | 'folders'>,
): boolean {
  const { source } = summary.repository;
  return openedIds.has(summary.id) || folders.some(folder => isInside(folder, source) || isInside(source, folder));
}

function isInside(path: string, folder: string): boolean {
  const slashed = (text: string) => text.replaceAll('\\', '/').replace(/\/+$/, '');
  return `${slashed(path)}/`.startsWith(`${slashed(folder)}/`);
}
