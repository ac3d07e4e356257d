import type { NotificationParams } from './calls.ts';
import type { LiveItem, SessionEvent } from './events.ts';
import { withDelta, withoutFinished } from './live.ts';
import { reduceEvents } from './reducer.ts';
import type { SessionState } from './session.ts';

/** What just happened to a mirror. */
export type MirrorChange =
  /** Replaced by a snapshot: draw anew. */
  | { kind: 'snapshot' }
  /** These events were applied, in order; never empty. */
  | { kind: 'events'; events: readonly SessionEvent[] }
  /** Only text that is being written changed. */
  | { kind: 'live' };

/**
 * One client's copy of one session: the reduced state and the text that is being written. Duplicates are dropped and a
 * gap is reported, so that whoever feeds it can ask for the rest (I2).
 */
export class SessionMirror {
  readonly sessionId: string;
  #state: SessionState | undefined;
  #live: readonly LiveItem[] = [];

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  /** Undefined until the first event or snapshot. */
  get state(): SessionState | undefined {
    return this.#state;
  }

  /** Replaced at every change, never changed in place. */
  get live(): readonly LiveItem[] {
    return this.#live;
  }

  /** The last event in the state; what to subscribe after. */
  get seq(): number {
    return this.#state?.seq ?? 0;
  }

  reset(state: SessionState, live: readonly LiveItem[]): MirrorChange {
    const finished = new Set(state.items.map(item => item.id));
    this.#state = state;
    this.#live = live.filter(item => !finished.has(item.itemId));
    return { kind: 'snapshot' };
  }

  /** The live text as it is now; earlier live text is forgotten. */
  setLive(live: readonly LiveItem[]): MirrorChange {
    this.#live = live;
    return { kind: 'live' };
  }

  /**
   * Applies what is new of `events`. Returns undefined when nothing was, and a gap when an event is missing before them:
   * then nothing was applied and the caller must subscribe again after `seq`.
   */
  applyEvents(
    events: readonly SessionEvent[],
  ): MirrorChange | { kind: 'gap'; expected: number; got: number } | undefined {
    const fresh = events.filter(event => event.seq > this.seq);
    const broken = fresh.find((event, index) => event.seq !== this.seq + 1 + index);
    if (broken) {
      return { kind: 'gap', expected: this.seq + 1 + fresh.indexOf(broken), got: broken.seq };
    }
    if (fresh.length === 0) {
      return undefined;
    }
    this.#state = reduceEvents(this.#state, fresh, this.sessionId);
    for (const event of fresh) {
      this.#live = withoutFinished(this.#live, event.body);
    }
    return { kind: 'events', events: fresh };
  }

  /** Applies text that was just written. Undefined when nothing changed because an earlier piece is missing. */
  applyDelta(delta: NotificationParams<'session.delta'>): MirrorChange | undefined {
    const { sessionId: _sessionId, ...piece } = delta;
    const live = withDelta(this.#live, piece);
    if (!live) {
      return undefined;
    }
    this.#live = live;
    return { kind: 'live' };
  }
}
