import type { EventBody } from '../../protocol/events.ts';
import type { LeaseClaim } from '../../server/src/store/lease.ts';
import type { Append, CallRecord } from '../../server/src/store/store.ts';
import { sampleSummary } from './sampleSummary.ts';

export const T0 = 1_790_000_000_000;

export function sessionId(number: number): string {
  return `ses_${String(number).padStart(26, '0')}`;
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
    summary: sampleSummary({ id, seq, updatedAt: T0 + seq }),
    ...changes,
  };
}

export function sampleCall(key: string): CallRecord {
  return { key, method: 'session.create', paramsHash: 'a'.repeat(64), result: JSON.stringify({ key }) };
}

export function sampleClaim(
  holder: string,
  { locked = false, silent }: { locked?: boolean; silent?: LeaseClaim['silent'] } = {},
): LeaseClaim {
  return { holder, pid: 4711, version: '1', locked, ...(silent === undefined ? {} : { silent }) };
}
