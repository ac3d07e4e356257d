import { appendFileSync } from 'node:fs';
import { sessionEventSchema, type SessionEvent } from '../protocol/events.ts';
import { reduceEvents } from '../protocol/reducer.ts';
import type { SessionState } from '../protocol/session.ts';
import { readWholeLines } from './outbox.ts';

/**
 * A client's own copy of a session's log, on disk as it comes. What the session is, is reduced from this copy: so it is right
 * after a kill of the client without asking anybody.
 */
export class ClientLog {
  readonly sessionId: string;
  readonly #path: string;
  #state: SessionState | undefined;

  constructor(path: string, sessionId: string) {
    this.sessionId = sessionId;
    this.#path = path;
    const events = readClientLog(path);
    this.#state = events.length === 0 ? undefined : reduceEvents(undefined, events, sessionId);
  }

  get state(): SessionState | undefined {
    return this.#state;
  }

  get seq(): number {
    return this.#state?.seq ?? 0;
  }

  /** Takes what continues the log and leaves out what is in it. False when something is missing in between. */
  take(events: readonly SessionEvent[]): boolean {
    const fresh = events.filter(event => event.seq > this.seq);
    if (fresh.length === 0) {
      return true;
    }
    if (fresh.some((event, index) => event.seq !== this.seq + 1 + index)) {
      return false;
    }
    // Not synchronised: a killed process loses nothing that it wrote.
    appendFileSync(this.#path, fresh.map(event => `${JSON.stringify(event)}\n`).join(''));
    this.#state = reduceEvents(this.#state, fresh, this.sessionId);
    return true;
  }
}

/** The events in a client's copy of a log. */
export function readClientLog(path: string): SessionEvent[] {
  return readWholeLines(path).map(line => sessionEventSchema.parse(JSON.parse(line)));
}
