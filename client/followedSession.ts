import type { CallResult, NotificationParams } from '../protocol/calls.ts';
import { SandpiperError } from '../protocol/errors.ts';
import type { SessionEvent } from '../protocol/events.ts';
import { SessionMirror } from '../protocol/sessionMirror.ts';
import type { MirrorChange } from '../protocol/sessionMirror.ts';
import { t } from '../protocol/text.ts';

export type FollowChange = MirrorChange | { kind: 'failed'; error: SandpiperError };

/** Called after every change of the mirror, and at once with `snapshot` when there is something to show already. */
export type FollowListener = (mirror: SessionMirror, change: FollowChange) => void;

/** The way to the relay. */
export interface Subscriber {
  subscribe(sessionId: string, afterSeq: number): Promise<CallResult<'session.subscribe'>>;
  /** Whether a failed subscription will be tried again by a new connection. */
  isLost(error: unknown): boolean;
  toError(error: unknown): SandpiperError;
}

const RESUBSCRIBE_DELAY_MS = 250;

/** One session that somebody looks at: its mirror, and the subscription that keeps the mirror right. */
export class FollowedSession {
  readonly mirror: SessionMirror;
  readonly listeners = new Set<FollowListener>();
  readonly #subscriber: Subscriber;
  /** Counts subscriptions, so that the answer to an old one is not taken for the new. */
  #generation = 0;
  #subscribing = false;
  #removed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sessionId: string, subscriber: Subscriber) {
    this.mirror = new SessionMirror(sessionId);
    this.#subscriber = subscriber;
  }

  /** Asks for what comes after the mirror's seq. Call it whenever a connection was made. */
  async subscribe(): Promise<void> {
    const generation = ++this.#generation;
    clearTimeout(this.#timer);
    this.#subscribing = true;
    try {
      const result = await this.#subscriber.subscribe(this.mirror.sessionId, this.mirror.seq);
      if (generation === this.#generation) {
        this.#subscribing = false;
        this.#announce(
          result.kind === 'snapshot' ? this.mirror.reset(result.state, result.live) : this.mirror.setLive(result.live),
        );
      }
    } catch (thrown) {
      if (generation === this.#generation && !this.#subscriber.isLost(thrown)) {
        this.#subscribing = false;
        const error = this.#subscriber.toError(thrown);
        this.#announce({ kind: 'failed', error });
        if (error.retryable) {
          this.#subscribeLater();
        }
      }
    }
  }

  onEvents(events: readonly SessionEvent[]): void {
    const change = this.#apply(events);
    if (change?.kind !== 'gap') {
      if (change) {
        this.#announce(change);
      }
    } else if (!this.#subscribing) {
      void this.subscribe();
    }
  }

  onDelta(delta: NotificationParams<'session.delta'>): void {
    const change = this.mirror.applyDelta(delta);
    if (change) {
      this.#announce(change);
    }
  }

  /** The session was deleted: nothing comes until it is restored. */
  onRemoved(): void {
    this.#removed = true;
    const error = new SandpiperError('not_found', t('This session was deleted.'), {
      hint: t('Restore it with "Restore Deleted Session…", or with `sandpiper restore`.'),
    });
    this.#announce({ kind: 'failed', error });
  }

  /** The row of the session changed. */
  onChanged(): void {
    if (this.#removed) {
      this.#removed = false;
      void this.subscribe();
    }
  }

  onLagging(): void {
    this.#subscribeLater();
  }

  stop(): void {
    this.#generation++;
    clearTimeout(this.#timer);
    this.listeners.clear();
  }

  /** A log that cannot be reduced must not end the client: it is this one session that fails. */
  #apply(events: readonly SessionEvent[]): ReturnType<SessionMirror['applyEvents']> {
    try {
      return this.mirror.applyEvents(events);
    } catch (thrown) {
      this.#announce({ kind: 'failed', error: this.#subscriber.toError(thrown) });
      return undefined;
    }
  }

  #subscribeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.subscribe(), RESUBSCRIBE_DELAY_MS);
  }

  #announce(change: FollowChange): void {
    for (const listener of this.listeners) {
      listener(this.mirror, change);
    }
  }
}
