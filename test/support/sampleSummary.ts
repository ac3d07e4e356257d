import type { SessionSummary } from '../../protocol/session.ts';

/** A row of the list for tests: an idle session with nothing done, but for what is given. */
export function sampleSummary(changes: Partial<SessionSummary> = {}): SessionSummary {
  return {
    id: 'ses_00000000000000000000000000',
    seq: 1,
    title: 'Fix the login',
    archived: false,
    repository: { id: 'rep', name: 'shop', source: '/code/shop', branch: 'main' },
    createdAt: 1,
    updatedAt: 1,
    phase: 'idle',
    activity: 'Idle',
    needsYou: 0,
    stats: { files: 0, insertions: 0, deletions: 0 },
    pending: false,
    queuedMessages: 0,
    agentRunning: false,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 },
    isolation: 'process',
    provider: 'local',
    ...changes,
  };
}
