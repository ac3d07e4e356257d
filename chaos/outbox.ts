import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { z } from 'zod';

/** A call that the person made, in the words of the wire. */
const callSchema = z.discriminatedUnion('call', [
  z.object({ call: z.literal('session.create'), index: z.int() }),
  z.object({ call: z.literal('session.send'), sessionId: z.string(), text: z.string() }),
  z.object({
    call: z.literal('session.answer'),
    sessionId: z.string(),
    approvalId: z.string(),
    decision: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('allow') }),
      z.object({ kind: z.literal('deny') }),
    ]),
  }),
  /** `since` tells one failure from the next. */
  z.object({ call: z.literal('session.retry'), sessionId: z.string(), since: z.number() }),
]);
export type TypedCall = z.infer<typeof callSchema>;

const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('typed'), key: z.string(), typed: callSchema }),
  z.object({ kind: z.literal('acknowledged'), key: z.string(), sessionId: z.string().optional() }),
  z.object({ kind: z.literal('refused'), key: z.string(), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('done'), sessionId: z.string() }),
]);
type OutboxRecord = z.infer<typeof recordSchema>;

export interface Entry {
  key: string;
  typed: TypedCall;
  outcome:
    | { kind: 'open' }
    | { kind: 'acknowledged'; sessionId?: string }
    | { kind: 'refused'; code: string; message: string };
}

/**
 * What the person has typed, on disk before it is sent: a client that is killed at any moment sends the rest with the same
 * keys when it comes back.
 */
export class Outbox {
  readonly #file: number;
  readonly #entries = new Map<string, Entry>();
  readonly #done = new Set<string>();

  constructor(path: string) {
    for (const record of readRecords(path)) {
      this.#apply(record);
    }
    this.#file = openSync(path, 'a', 0o600);
  }

  /** In the order of typing. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  isDone(sessionId: string): boolean {
    return this.#done.has(sessionId);
  }

  /** Durable when it returns. */
  write(record: OutboxRecord): void {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
    fsyncSync(this.#file);
    this.#apply(record);
  }

  close(): void {
    closeSync(this.#file);
  }

  #apply(record: OutboxRecord): void {
    const entry = 'key' in record ? this.#entries.get(record.key) : undefined;
    switch (record.kind) {
      case 'typed':
        this.#entries.set(record.key, { key: record.key, typed: record.typed, outcome: { kind: 'open' } });
        break;
      case 'acknowledged':
        if (entry) {
          const { sessionId } = record;
          entry.outcome = { kind: 'acknowledged', ...(sessionId === undefined ? {} : { sessionId }) };
        }
        break;
      case 'refused':
        if (entry) {
          entry.outcome = { kind: 'refused', code: record.code, message: record.message };
        }
        break;
      case 'done':
        this.#done.add(record.sessionId);
    }
  }
}

/** The records of a file; a last line without its end was never durable and is cut off. */
function readRecords(path: string): OutboxRecord[] {
  return readWholeLines(path).map(line => recordSchema.parse(JSON.parse(line)));
}

/** The lines of a file that is only appended to. What a kill left half written at its end is removed. */
export function readWholeLines(path: string): string[] {
  if (!existsSync(path)) {
    return [];
  }
  const data = readFileSync(path);
  const end = data.lastIndexOf(0x0a) + 1;
  if (end < data.length) {
    truncateSync(path, end);
  }
  return data.toString('utf8', 0, end).split('\n').slice(0, -1);
}
