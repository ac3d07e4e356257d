import type { LiveItem, SessionEvent } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { HostMessage } from '../../../protocol/webviewApi.ts';

/** How many events are kept so that a page which comes back gets only what it missed. */
const MAX_RECENT = 1000;

/**
 * Decides what to post to a page so that it follows one session. Pure bookkeeping: the caller owns the clock, and calls
 * `flush` once a frame. Text is compared with what the page was told, so any number of deltas in a frame costs one message
 * an item.
 */
export class PageSync {
  readonly sessionId: string;
  #recent: SessionEvent[] = [];
  #pending: SessionEvent[] = [];
  #told = new Map<string, string>();

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  /** Events that were just folded into the session; they go out with the next flush. */
  add(events: readonly SessionEvent[]): void {
    this.#pending.push(...events);
    this.#recent = [...this.#recent, ...events].slice(-MAX_RECENT);
  }

  /** What was not posted cannot be added up any more: the session was replaced by a snapshot. */
  forget(): void {
    this.#pending = [];
    this.#recent = [];
  }

  /** The session whole; the page then has everything up to `state.seq`. */
  open(state: SessionState, live: readonly LiveItem[]): HostMessage {
    this.#pending = [];
    this.#told = new Map(live.map(item => [item.itemId, item.text]));
    return { type: 'open', sessionId: this.sessionId, state, live: [...live] };
  }

  /** What brings a page that has everything up to `seq` to `state`: only what is missing where that is known. */
  resume(seq: number, state: SessionState, live: readonly LiveItem[]): HostMessage[] {
    const missing = this.#recent.filter(event => event.seq > seq);
    const covered = seq <= state.seq && missing.length === state.seq - seq;
    if (!covered) {
      return [this.open(state, live)];
    }
    this.#pending = missing;
    this.#told = new Map();
    return this.flush(live);
  }

  /** The messages of this frame, in order; none when nothing happened. */
  flush(live: readonly LiveItem[]): HostMessage[] {
    const messages: HostMessage[] = [];
    if (this.#pending.length > 0) {
      messages.push({ type: 'events', sessionId: this.sessionId, events: this.#pending });
      this.#pending = [];
    }
    const told = new Map<string, string>();
    for (const item of live) {
      const before = this.#told.get(item.itemId);
      told.set(item.itemId, item.text);
      if (before !== item.text) {
        const offset = before !== undefined && item.text.startsWith(before) ? before.length : 0;
        messages.push({
          type: 'delta',
          sessionId: this.sessionId,
          itemId: item.itemId,
          kind: item.kind,
          offset,
          text: item.text.slice(offset),
          ...(item.parentToolId === undefined ? {} : { parentToolId: item.parentToolId }),
        });
      }
    }
    this.#told = told;
    return messages;
  }
}
