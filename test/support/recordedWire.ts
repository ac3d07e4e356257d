import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../../protocol/isRecord.ts';

export const RECORDED_WIRE = join(import.meta.dirname, '../fixtures/wire/protocol-1.jsonl');
/** Stands in a recording for the folder that it was made in. */
export const RECORDED_FOLDER = '/recorded';

/** One frame of a conversation, in the order in which the client sent or got them. */
export interface RecordedFrame {
  from: 'client' | 'relay';
  frame: Record<string, unknown>;
}

/** What was said between a client and a relay of protocol 1; `recordWire.ts` made it. */
export async function readRecordedWire(): Promise<RecordedFrame[]> {
  const lines = (await readFile(RECORDED_WIRE, 'utf8')).trim().split('\n');
  return lines.map(line => {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value) || (value['from'] !== 'client' && value['from'] !== 'relay') || !isRecord(value['frame'])) {
      throw new Error(`No frame: ${line.slice(0, 200)}`);
    }
    return { from: value['from'], frame: value['frame'] };
  });
}

/** The events that a frame brings; none when it is something else. */
export function eventsIn(frame: Record<string, unknown>): { sessionId: string; event: Record<string, unknown> }[] {
  const { method, params } = frame;
  return method === 'session.events' && isRecord(params) && Array.isArray(params['events'])
    ? params['events'].filter(isRecord).map(event => ({ sessionId: String(params['sessionId']), event }))
    : [];
}

/** The type of an event, known to this version or not. */
export function typeOf(event: Record<string, unknown>): string {
  return isRecord(event['body']) ? String(event['body']['type']) : '';
}
