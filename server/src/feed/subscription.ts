import { setTimeout as sleep } from 'node:timers/promises';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionEvent } from '../../../protocol/events.ts';
import type { Disposable } from '../core/disposable.ts';
import type { Batch, EventBatch, FeedEncoder } from './batch.ts';
import { DeltaBatch, toBatches } from './batch.ts';
import type { Sink } from './boundedSink.ts';
import type { FeedSubscriber, SessionFeed, SessionFeeds } from './sessionFeed.ts';

const PAGE_EVENTS = 200;
/** Of batches kept while a page is read. They are shared with other clients, so this bounds little memory. */
const MAX_MEANWHILE_CHARS = 1024 * 1024;
const READ_ATTEMPTS = 3;
const READ_RETRY_MS = 250;

export interface SubscriptionOptions {
  sessionId: string;
  /** The last event that the client has. */
  afterSeq: number;
  sink: Sink;
  encoder: FeedEncoder;
  deltas: boolean;
  /** The events cannot be read: the client must subscribe again later. */
  onLost(error: SandpiperError, lastSeq: number): void;
}

/**
 * One client's view of one session (I2). It is either catching up, page by page from the store and as fast as the client
 * takes it, or live. It starts by catching up, and goes back to it whenever the client is full or an event is missing;
 * live it becomes only at a moment when everything that was handed out is also sent. So there is one way from behind to
 * live, and nothing is kept in memory for a slow client.
 */
export class Subscription implements FeedSubscriber, Disposable {
  readonly #feeds: SessionFeeds;
  readonly #feed: SessionFeed;
  readonly #options: SubscriptionOptions;
  #sentSeq: number;
  #live = false;
  #missedDelta = false;
  /** Handed out while a page was being read. Without it a busy session would be forever one page ahead. */
  #meanwhile: EventBatch[] = [];
  #meanwhileChars = 0;
  #closed = false;

  constructor(feeds: SessionFeeds, options: SubscriptionOptions) {
    this.#feeds = feeds;
    this.#options = options;
    this.#sentSeq = options.afterSeq;
    this.#feed = feeds.join(options.sessionId, this);
  }

  /** The last event that was sent. */
  get sentSeq(): number {
    return this.#sentSeq;
  }

  /** Begins to send. Events that happen between the construction and this are not lost: they are read. */
  start(): void {
    void this.#catchUp();
  }

  dispose(): void {
    this.#closed = true;
    this.#feeds.leave(this.#feed, this);
  }

  deliver(batch: Batch): void {
    if (!this.#live) {
      this.#remember(batch);
    } else if (this.#options.sink.full) {
      this.#remember(batch);
      this.#fallBehind();
    } else if (batch.kind === 'delta') {
      this.#sendDelta(batch);
    } else if (batch.first > this.#sentSeq + 1) {
      this.#feeds.log.log('warn', 'ws', 'Events are missing between store and live; reading them', {
        sessionId: this.#options.sessionId,
        expected: this.#sentSeq + 1,
        got: batch.first,
      });
      this.#fallBehind();
    } else {
      this.#sendEvents(batch);
    }
  }

  #remember(batch: Batch): void {
    if (batch.kind === 'delta') {
      this.#missedDelta = true;
    } else if (this.#meanwhileChars + batch.chars <= MAX_MEANWHILE_CHARS) {
      this.#meanwhile.push(batch);
      this.#meanwhileChars += batch.chars;
    }
  }

  #forgetMeanwhile(): void {
    this.#meanwhile = [];
    this.#meanwhileChars = 0;
  }

  #fallBehind(): void {
    this.#live = false;
    void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    try {
      while (!this.#live && (await this.#hasRoom())) {
        const announcedSeq = this.#feed.handedOutSeq;
        this.#forgetMeanwhile();
        const events = await this.#read();
        if (events.length === 0 && announcedSeq > this.#sentSeq) {
          throw new SandpiperError('internal', `The log of ${this.#options.sessionId} ends before what was announced.`);
        }
        for (const batch of toBatches(this.#options.sessionId, events)) {
          if (!(await this.#hasRoom())) {
            return;
          }
          this.#sendEvents(batch);
        }
        if (events.length < PAGE_EVENTS) {
          this.#goLive();
        }
      }
    } catch (thrown) {
      if (!this.#closed) {
        this.dispose();
        this.#options.onLost(toSandpiperError(thrown), this.#sentSeq);
      }
    }
  }

  async #hasRoom(): Promise<boolean> {
    return !this.#closed && (await this.#options.sink.drained()) && !this.#closed;
  }

  async #read(): Promise<SessionEvent[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const events = await this.#feeds.source.read(this.#options.sessionId, this.#sentSeq, PAGE_EVENTS);
        this.#refuseHoles(events);
        return events;
      } catch (thrown) {
        const error = toSandpiperError(thrown);
        if (attempt === READ_ATTEMPTS || !error.retryable || this.#closed) {
          throw error;
        }
        await sleep(READ_RETRY_MS * attempt);
      }
    }
  }

  #refuseHoles(events: readonly SessionEvent[]): void {
    const wrong = events.findIndex((event, index) => event.seq !== this.#sentSeq + 1 + index);
    if (wrong !== -1) {
      throw new SandpiperError('internal', `The log of ${this.#options.sessionId} has a hole after ${this.#sentSeq}.`);
    }
  }

  /**
   * Goes live when everything that was handed out is sent. Synchronous from the check to the switch, so that nothing can
   * be handed out between them.
   */
  #goLive(): void {
    for (const batch of this.#meanwhile) {
      if (batch.first <= this.#sentSeq + 1) {
        this.#sendEvents(batch);
      }
    }
    this.#forgetMeanwhile();
    if (this.#feed.handedOutSeq > this.#sentSeq || this.#options.sink.full || this.#closed) {
      return;
    }
    this.#live = true;
    if (this.#missedDelta) {
      this.#missedDelta = false;
      for (const item of this.#feeds.source.liveItems(this.#options.sessionId)) {
        this.#sendDelta(new DeltaBatch({ sessionId: this.#options.sessionId, offset: 0, ...item }));
      }
    }
  }

  #sendEvents(batch: EventBatch): void {
    if (batch.last > this.#sentSeq) {
      const frame = batch.frameAfter(this.#sentSeq, this.#options.encoder);
      this.#sentSeq = batch.last;
      this.#options.sink.send(frame);
    }
  }

  #sendDelta(batch: DeltaBatch): void {
    if (this.#options.deltas) {
      this.#options.sink.send(batch.frame(this.#options.encoder));
    }
  }
}
