import type { SessionSummary } from './session.ts';
import { isBuilding } from './specWork.ts';

/** Where a session stands in a list, by what it wants from a person. */
export type SessionGroupId = 'needsYou' | 'running' | 'ready' | 'done' | 'archived';

/** In the order of a list: what a person should look at comes first. */
export const GROUP_LABELS: Readonly<Record<SessionGroupId, string>> = {
  needsYou: 'Needs You',
  running: 'Running',
  ready: 'Ready to Review',
  done: 'Done',
  archived: 'Archived',
};

/** Between turns, and yet something is under way. */
const BUSY: ReadonlySet<unknown> = new Set(['starting', 'recovering', 'restoring', 'moving']);

export function groupOf(
  summary: Pick<SessionSummary, 'archived' | 'needsYou' | 'phase' | 'pending' | 'doing' | 'spec'>,
): SessionGroupId {
  if (summary.archived) {
    return 'archived';
  }
  if (summary.needsYou > 0 || summary.phase === 'blocked') {
    return 'needsYou';
  }
  if (summary.phase !== 'idle' || BUSY.has(summary.doing?.kind) || isBuilding(summary)) {
    return 'running';
  }
  return summary.pending ? 'ready' : 'done';
}

/** A pinned session stands in a group of its own, whatever it does, unless it is archived. */
export type GroupId = 'pinned' | SessionGroupId;

export interface SessionGroup {
  id: GroupId;
  label: string;
  sessions: SessionSummary[];
}

const LABELS: Record<GroupId, string> = { pinned: 'Pinned', ...GROUP_LABELS };
const ORDER: readonly GroupId[] = ['pinned', 'needsYou', 'running', 'ready', 'done', 'archived'];

/** The groups that have sessions, each with the newest activity first; the pinned ones by what they want first. */
export function groupSessions(summaries: Iterable<SessionSummary>): SessionGroup[] {
  const byGroup = new Map<GroupId, SessionSummary[]>();
  for (const summary of summaries) {
    const group = summary.pinned === true && !summary.archived ? 'pinned' : groupOf(summary);
    byGroup.set(group, [...(byGroup.get(group) ?? []), summary]);
  }
  return ORDER.flatMap(id => {
    const sessions = byGroup.get(id);
    return sessions ? [{ id, label: LABELS[id], sessions: sessions.sort(compareRows) }] : [];
  });
}

function compareRows(one: SessionSummary, other: SessionSummary): number {
  return ORDER.indexOf(groupOf(one)) - ORDER.indexOf(groupOf(other)) || other.updatedAt - one.updatedAt;
}
