import type { CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { notificationFrame } from '../../../protocol/rpc.ts';
import type { Sink } from '../feed/boundedSink.ts';
import type { SessionFeeds } from '../feed/sessionFeed.ts';
import { Subscription } from '../feed/subscription.ts';
import type { WsLimits } from './limits.ts';
import { wsEncoder } from './wsEncoder.ts';

/** The sessions that one socket follows. */
export class Subscriptions {
  readonly #feeds: SessionFeeds;
  readonly #sink: Sink;
  readonly #limits: WsLimits;
  readonly #open = new Map<string, Subscription>();
  #closed = false;

  constructor(feeds: SessionFeeds, sink: Sink, limits: WsLimits) {
    this.#feeds = feeds;
    this.#sink = sink;
    this.#limits = limits;
  }

  /**
   * Follows a session from a seq. A second subscription to the same session takes the place of the first.
   * @throws not_found, too_large
   */
  async subscribe(params: CheckedParams<'session.subscribe'>): Promise<CallResult<'session.subscribe'>> {
    const { sessionId, afterSeq } = params;
    if (!this.#open.has(sessionId) && this.#open.size >= this.#limits.maxSubscriptions) {
      throw new SandpiperError('too_large', `This connection follows ${this.#open.size} sessions already.`, {
        hint: 'Unsubscribe from some of them first.',
      });
    }
    const state = await this.#feeds.source.snapshot(sessionId, this.#limits.snapshotItems);
    if (this.#closed) {
      throw new SandpiperError('disconnected', 'The connection was closed.');
    }
    // A client that is ahead of the log has seen another one (a restored store): it must begin anew.
    const replay = afterSeq <= state.seq && state.seq - afterSeq <= this.#limits.maxReplayEvents;
    this.#add(sessionId, replay ? afterSeq : state.seq);
    const live = this.#feeds.source.liveItems(sessionId);
    return replay ? { kind: 'replay', fromSeq: afterSeq, lastSeq: state.seq, live } : { kind: 'snapshot', state, live };
  }

  unsubscribe(sessionId: string): void {
    this.#open.get(sessionId)?.dispose();
    this.#open.delete(sessionId);
  }

  /** Tells the client that every subscription is lost; it may not be able to hear it. */
  announceLagging(): void {
    for (const [sessionId, subscription] of this.#open) {
      this.#sendLagging(sessionId, subscription.sentSeq);
    }
  }

  close(): void {
    this.#closed = true;
    for (const sessionId of this.#open.keys()) {
      this.unsubscribe(sessionId);
    }
  }

  #add(sessionId: string, afterSeq: number): void {
    this.unsubscribe(sessionId);
    const subscription = new Subscription(this.#feeds, {
      sessionId,
      afterSeq,
      sink: this.#sink,
      encoder: wsEncoder,
      deltas: true,
      onLost: (error, lastSeq) => {
        this.#feeds.log.log('error', 'ws', 'A subscription was given up', { sessionId, lastSeq, error: error.message });
        this.#open.delete(sessionId);
        this.#sendLagging(sessionId, lastSeq);
      },
    });
    this.#open.set(sessionId, subscription);
    // After the reply of `session.subscribe` is on its way: its client knows what to do with events only then.
    setImmediate(() => subscription.start());
  }

  #sendLagging(sessionId: string, lastSeq: number): void {
    this.#sink.send(Buffer.from(notificationFrame('session.lagging', { sessionId, lastSeq })));
  }
}
