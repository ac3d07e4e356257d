import type { SessionEvent } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { reduceSession } from '../../protocol/reducer.ts';
import { disposable } from '../../server/src/core/disposable.ts';
import type { EventSource } from '../../server/src/sessions/eventSource.ts';
import { CREATED, notice } from './wireSource.ts';

export interface SyntheticSource extends EventSource {
  readonly sessionId: string;
  readonly lastSeq: number;
  append(count: number): void;
}

/** The event with a number; anybody can make it again. */
export function syntheticEvent(seq: number, chars: number): SessionEvent {
  return { seq, at: seq, body: seq === 1 ? CREATED : notice(`${seq}:`.padEnd(chars, 'x')) };
}

/** One session whose log is of any length and takes no memory. */
export function syntheticSource(eventChars: number): SyntheticSource {
  const sessionId = newId('ses');
  const listeners = new Set<Parameters<EventSource['follow']>[1]>();
  let lastSeq = 1;
  const page = (afterSeq: number, limit: number): SessionEvent[] =>
    Array.from({ length: Math.max(0, Math.min(limit, lastSeq - afterSeq)) }, (_, index) =>
      syntheticEvent(afterSeq + 1 + index, eventChars),
    );
  return {
    sessionId,
    get lastSeq() {
      return lastSeq;
    },
    append(count) {
      const before = lastSeq;
      lastSeq += count;
      const events = page(before, count);
      listeners.forEach(listener => listener.onEvents(events));
    },
    read: (_sessionId, afterSeq, limit) => Promise.resolve(page(afterSeq, limit)),
    snapshot: () =>
      Promise.resolve({ ...reduceSession(undefined, syntheticEvent(1, 1), sessionId), seq: lastSeq, items: [] }),
    liveItems: () => [],
    follow(_sessionId, listener) {
      listeners.add(listener);
      return disposable(() => listeners.delete(listener));
    },
    followSummaries: () => disposable(() => {}),
    followRemovals: () => disposable(() => {}),
    followSpecs: () => disposable(() => {}),
  };
}
