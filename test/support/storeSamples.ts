import type { EventBody } from '../../protocol/events.ts';
import type { SessionSummary } from '../../protocol/session.ts';
import type { Append, CallRecord } from '../../server/src/store/store.ts';

export const T0 = 1_790_000_000_000;

export function sessionId(number: number): string {
  return `ses_${String(number).padStart(26, '0')}`;
}

export function sampleSummary(id: string, changes: Partial<SessionSummary> = {}): SessionSummary {
  return {
    id,
    seq: 0,
    title: 'Fix the flaky test',
    archived: false,
    repository: { id: 'repo', name: 'app', source: '/src/app' },
    createdAt: T0,
    updatedAt: T0,
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

/** An event of about 300 bytes with the text in it. */
export function sampleEvent(text: string): EventBody {
  return { type: 'textFinished', itemId: 'item_1', text: { text: text.padEnd(200, '.') } };
}

/** An append of one event a text; `changes` adds or replaces parts. */
export function sampleAppend(id: string, expectedSeq: number, texts: string[], changes: Partial<Append> = {}): Append {
  const seq = expectedSeq + texts.length;
  return {
    sessionId: id,
    expectedSeq,
    events: texts.map((text, index) => ({ at: T0 + expectedSeq + index, body: sampleEvent(text) })),
    summary: sampleSummary(id, { seq, updatedAt: T0 + seq }),
    ...changes,
  };
}

export function sampleCall(key: string): CallRecord {
  return { key, method: 'session.create', paramsHash: 'a'.repeat(64), result: JSON.stringify({ key }) };
}
