import type { SessionEvent } from '../../../protocol/events.ts';
import type { Disposable } from '../core/disposable.ts';
import type { Logger } from '../core/log.ts';
import type { EventSource } from '../sessions/eventSource.ts';
import { continues, DeltaBatch, toBatches } from './batch.ts';
import type { Batch, Delta } from './batch.ts';

export interface FeedSubscriber {
  /** Must not throw. */
  deliver(batch: Batch): void;
}

type Pending = { kind: 'events'; events: SessionEvent[] } | { kind: 'delta'; delta: Delta };

/**
 * What happens in one session, followed once and handed to every subscriber. The first thing after a pause goes out at
 * once; what comes in the same tick after it is put together and goes out with the next.
 */
export class SessionFeed implements Disposable {
  readonly sessionId: string;
  readonly #log: Logger;
  readonly #subscribers = new Set<FeedSubscriber>();
  readonly #following: Disposable;
  #pending: Pending[] = [];
  #busy = false;
  #handedOutSeq = 0;

  constructor(sessionId: string, source: EventSource, log: Logger) {
    this.sessionId = sessionId;
    this.#log = log;
    this.#following = source.follow(sessionId, {
      onEvents: events => this.#onEvents(events),
      onDelta: delta => this.#onDelta(delta),
    });
  }

  /** The last event that was handed to subscribers; 0 when none was yet. */
  get handedOutSeq(): number {
    return this.#handedOutSeq;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  add(subscriber: FeedSubscriber): void {
    this.#subscribers.add(subscriber);
  }

  remove(subscriber: FeedSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  dispose(): void {
    this.#following.dispose();
    this.#subscribers.clear();
    this.#pending = [];
  }

  #onEvents(events: readonly SessionEvent[]): void {
    const last = this.#pending.at(-1);
    if (last?.kind === 'events') {
      last.events.push(...events);
    } else {
      this.#pending.push({ kind: 'events', events: [...events] });
    }
    this.#handOutSoon();
  }

  #onDelta(delta: Delta): void {
    const last = this.#pending.at(-1);
    if (last?.kind === 'delta' && continues(last.delta, delta)) {
      last.delta = { ...last.delta, text: last.delta.text + delta.text };
    } else {
      this.#pending.push({ kind: 'delta', delta });
    }
    this.#handOutSoon();
  }

  #handOutSoon(): void {
    if (!this.#busy) {
      this.#handOut();
    }
  }

  #handOut(): void {
    this.#busy = this.#pending.length > 0;
    if (!this.#busy) {
      return;
    }
    const pending = this.#pending;
    this.#pending = [];
    setImmediate(() => this.#handOut());
    try {
      for (const part of pending) {
        const batches = part.kind === 'delta' ? [new DeltaBatch(part.delta)] : toBatches(this.sessionId, part.events);
        for (const batch of batches) {
          this.#deliver(batch);
        }
      }
    } catch (error) {
      // Thrown into the committing code, this would look like a failed commit. Subscribers see the gap and read the store.
      this.#log.log('error', 'ws', 'A feed could not hand out', { sessionId: this.sessionId, error: String(error) });
    }
  }

  #deliver(batch: Batch): void {
    if (batch.kind === 'events') {
      this.#handedOutSeq = Math.max(this.#handedOutSeq, batch.last);
    }
    for (const subscriber of this.#subscribers) {
      subscriber.deliver(batch);
    }
  }
}

/** The feeds that somebody follows at this moment. */
export class SessionFeeds {
  readonly source: EventSource;
  readonly log: Logger;
  readonly #feeds = new Map<string, SessionFeed>();

  constructor(source: EventSource, log: Logger) {
    this.source = source;
    this.log = log;
  }

  join(sessionId: string, subscriber: FeedSubscriber): SessionFeed {
    let feed = this.#feeds.get(sessionId);
    if (!feed) {
      feed = new SessionFeed(sessionId, this.source, this.log);
      this.#feeds.set(sessionId, feed);
    }
    feed.add(subscriber);
    return feed;
  }

  leave(feed: SessionFeed, subscriber: FeedSubscriber): void {
    feed.remove(subscriber);
    if (feed.size === 0 && this.#feeds.get(feed.sessionId) === feed) {
      this.#feeds.delete(feed.sessionId);
      feed.dispose();
    }
  }
}
