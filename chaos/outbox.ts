import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { newId } from '../protocol/ids.ts';
import { answerSchema, typedCallSchema, type Answer, type TypedCall } from './typedCall.ts';

const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('typed'), key: z.string(), typed: typedCallSchema }),
  z.object({ kind: z.literal('acknowledged'), key: z.string(), answer: answerSchema }),
  z.object({ kind: z.literal('refused'), key: z.string(), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('skipped'), sessionId: z.string(), deed: z.int() }),
  z.object({ kind: z.literal('done'), sessionId: z.string() }),
]);
type OutboxRecord = z.infer<typeof recordSchema>;

export interface Entry {
  key: string;
  typed: TypedCall;
  outcome:
    { kind: 'open' } | { kind: 'acknowledged'; answer: Answer } | { kind: 'refused'; code: string; message: string };
}

/**
 * What the person has typed, on disk before it is sent: a client that is killed at any moment sends the rest with the same
 * keys when it comes back.
 */
export class Outbox {
  readonly #file: number;
  readonly #entries = new Map<string, Entry>();
  readonly #done = new Set<string>();
  readonly #skipped = new Set<string>();

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

  /** What was typed into a session, in that order; what began it is not among it. */
  entriesOf(sessionId: string): Entry[] {
    return this.entries.filter(({ typed }) => typed.call !== 'session.create' && typed.sessionId === sessionId);
  }

  /** Whether there was nothing to do a deed on. */
  isSkipped(sessionId: string, deed: number): boolean {
    return this.#skipped.has(`${sessionId} ${deed}`);
  }

  isDone(sessionId: string): boolean {
    return this.#done.has(sessionId);
  }

  /** A further call, on disk before it is sent. */
  type(typed: TypedCall): Entry {
    const key = newId('key');
    this.write({ kind: 'typed', key, typed });
    return this.#entries.get(key) ?? { key, typed, outcome: { kind: 'open' } };
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
          entry.outcome = { kind: 'acknowledged', answer: record.answer };
        }
        break;
      case 'refused':
        if (entry) {
          entry.outcome = { kind: 'refused', code: record.code, message: record.message };
        }
        break;
      case 'skipped':
        this.#skipped.add(`${record.sessionId} ${record.deed}`);
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
