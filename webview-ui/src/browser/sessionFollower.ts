import type { NotificationParams } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Announcement } from '../host/host.ts';
import type { RelayConnection } from './relayConnection.ts';

/** Follows the open session over connections that come and go, and tells the page. */
export class SessionFollower {
  readonly #relay: Pick<RelayConnection, 'call'>;
  readonly #tell: (message: Announcement) => void;
  #sessionId: string | null = null;
  #state: SessionState | undefined;
  /** Answers to an earlier wish than the last are no longer wanted. */
  #generation = 0;

  constructor(relay: Pick<RelayConnection, 'call'>, tell: (message: Announcement) => void) {
    this.#relay = relay;
    this.#tell = tell;
  }

  /** What the page shows, as far as it was told. */
  get state(): SessionState | undefined {
    return this.#state;
  }

  /** Shows a session from its current state, or none. */
  async open(sessionId: string | null): Promise<void> {
    const generation = ++this.#generation;
    const before = this.#sessionId;
    this.#sessionId = sessionId;
    this.#state = undefined;
    this.#tell({ type: 'open', sessionId, state: null, live: [] });
    if (before !== null && before !== sessionId) {
      this.#relay.call('session.unsubscribe', { sessionId: before }).catch(() => undefined);
    }
    if (sessionId === null) {
      return;
    }
    try {
      const state = await this.#relay.call('session.get', { sessionId });
      if (generation === this.#generation) {
        await this.#subscribe(sessionId, state, generation);
      }
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (generation === this.#generation && error.code !== 'disconnected') {
        const problem = { ...error.toWire(), message: error.message };
        this.#tell({ type: 'open', sessionId, state: null, live: [], problem });
      }
    }
  }

  /** Brings a row of the open session into sight. */
  show(itemId: string): void {
    if (this.#sessionId !== null) {
      this.#tell({ type: 'show', sessionId: this.#sessionId, itemId });
    }
  }

  /** After a new connection, or when the relay dropped the subscription: goes on where the page stands. */
  async resume(): Promise<void> {
    const sessionId = this.#sessionId;
    const state = this.#state;
    if (sessionId === null) {
      return;
    }
    if (!state) {
      await this.open(sessionId);
      return;
    }
    const generation = this.#generation;
    const result = await this.#relay
      .call('session.subscribe', { sessionId, afterSeq: state.seq })
      .catch(() => undefined);
    if (!result || generation !== this.#generation) {
      return;
    }
    if (result.kind === 'snapshot') {
      this.#state = result.state;
      this.#tell({ type: 'open', sessionId, state: result.state, live: result.live });
      return;
    }
    for (const { itemId, kind, text, parentToolId } of result.live) {
      const parent = parentToolId === undefined ? {} : { parentToolId };
      this.#tell({ type: 'delta', sessionId, itemId, kind, offset: 0, text, ...parent });
    }
  }

  onNotification(method: string, params: unknown): void {
    if (!isRecord(params) || params['sessionId'] !== this.#sessionId) {
      return;
    }
    if (method === 'session.events') {
      this.#onEvents(toEvents(params['events']));
    } else if (method === 'session.delta') {
      if (this.#state && isDelta(params)) {
        this.#tell({ ...params, type: 'delta' });
      }
    } else if (method === 'session.lagging') {
      void this.resume();
    }
  }

  async #subscribe(sessionId: string, state: SessionState, generation: number): Promise<void> {
    const result = await this.#relay.call('session.subscribe', { sessionId, afterSeq: state.seq });
    if (generation !== this.#generation) {
      return;
    }
    this.#state = result.kind === 'snapshot' ? result.state : state;
    this.#tell({ type: 'open', sessionId, state: this.#state, live: result.live });
  }

  #onEvents(events: SessionEvent[]): void {
    const state = this.#state;
    if (!state) {
      return;
    }
    const fresh: SessionEvent[] = [];
    for (const event of events) {
      const due = state.seq + fresh.length + 1;
      if (event.seq === due) {
        fresh.push(event);
      } else if (event.seq > due) {
        void this.resume();
        break;
      }
    }
    if (fresh.length > 0) {
      this.#state = reduceEvents(state, fresh, state.id);
      this.#tell({ type: 'events', sessionId: state.id, events: fresh });
    }
  }
}

/** Events as far as their frame goes: a type that this version does not know must pass, for the reducer counts it. */
export function toEvents(value: unknown): SessionEvent[] {
  return Array.isArray(value) ? value.filter(isEvent) : [];
}

function isEvent(value: unknown): value is SessionEvent {
  return (
    isRecord(value) &&
    typeof value['seq'] === 'number' &&
    typeof value['at'] === 'number' &&
    isRecord(value['body']) &&
    typeof value['body']['type'] === 'string'
  );
}

function isDelta(value: Record<string, unknown>): value is NotificationParams<'session.delta'> {
  return (
    typeof value['itemId'] === 'string' &&
    typeof value['kind'] === 'string' &&
    typeof value['offset'] === 'number' &&
    typeof value['text'] === 'string'
  );
}
