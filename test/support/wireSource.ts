import { setTimeout as sleep } from 'node:timers/promises';
import type { NotificationParams } from '../../protocol/calls.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import type { EventBody, LiveItem, SessionEvent } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { reduceSession } from '../../protocol/reducer.ts';
import { snapshotOf } from '../../protocol/snapshot.ts';
import type { SessionState, SessionSummary } from '../../protocol/session.ts';
import { summarize } from '../../protocol/summarize.ts';
import { disposable } from '../../server/src/core/disposable.ts';
import type { Disposable } from '../../server/src/core/disposable.ts';
import type { EventSource } from '../../server/src/sessions/eventSource.ts';

type Listener = Parameters<EventSource['follow']>[1];

interface Session {
  events: SessionEvent[];
  state: SessionState;
  live: LiveItem[];
  listeners: Set<Listener>;
}

export const CREATED: EventBody = {
  type: 'sessionCreated',
  title: 'A session',
  repository: { id: 'r1', name: 'demo', source: '/demo' },
  base: 'a'.repeat(40),
  includesUncommitted: false,
  provider: 'local',
  isolation: 'none',
  agent: 'claude',
  permissionMode: 'ask',
};

export function notice(text: string): EventBody {
  return { type: 'noticeRaised', level: 'info', text };
}

/** Sessions in memory behind the interface that the wire reads through. */
export class MemorySessions implements EventSource {
  readonly sessions = new Map<string, Session>();
  /** How long a read takes; widens the window of the hand-over from replay to live. */
  readDelayMs = 0;
  reads = 0;
  readonly #removalListeners = new Set<(sessionId: string) => void>();
  readonly #summaryListeners = new Set<(summary: SessionSummary) => void>();

  create(): string {
    const sessionId = newId('ses');
    const event: SessionEvent = { seq: 1, at: Date.now(), body: CREATED };
    const state = reduceSession(undefined, event, sessionId);
    this.sessions.set(sessionId, { events: [event], state, live: [], listeners: new Set() });
    this.#summaryListeners.forEach(listener => listener(summarize(state)));
    return sessionId;
  }

  /** Commits events, then tells the followers, as the relay does. */
  append(sessionId: string, ...bodies: EventBody[]): void {
    const session = this.session(sessionId);
    const events = bodies.map((body, index) => ({ seq: session.state.seq + 1 + index, at: Date.now(), body }));
    for (const event of events) {
      session.events.push(event);
      session.state = reduceSession(session.state, event, sessionId);
      const { body } = event;
      if (body.type === 'textFinished') {
        session.live = session.live.filter(item => item.itemId !== body.itemId);
      }
    }
    session.listeners.forEach(listener => listener.onEvents(events));
    this.#summaryListeners.forEach(listener => listener(summarize(session.state)));
  }

  write(sessionId: string, itemId: string, text: string): void {
    const session = this.session(sessionId);
    const before = session.live.find(item => item.itemId === itemId);
    const offset = before?.text.length ?? 0;
    session.live = [
      ...session.live.filter(item => item !== before),
      { itemId, kind: 'text', text: (before?.text ?? '') + text },
    ];
    const delta: NotificationParams<'session.delta'> = { sessionId, itemId, kind: 'text', offset, text };
    session.listeners.forEach(listener => listener.onDelta(delta));
  }

  session(sessionId: string): Session {
    const session = this.sessions.get(sessionId);
    if (!session) {
      throw new SandpiperError('not_found', `There is no session ${sessionId}.`);
    }
    return session;
  }

  async read(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]> {
    this.reads++;
    const page = this.session(sessionId).events.slice(afterSeq, afterSeq + limit);
    await sleep(this.readDelayMs);
    return page;
  }

  async snapshot(sessionId: string, maxItems: number): Promise<SessionState> {
    const { state } = this.session(sessionId);
    await sleep(this.readDelayMs);
    return snapshotOf(state, maxItems);
  }

  liveItems(sessionId: string): LiveItem[] {
    return this.session(sessionId).live;
  }

  follow(sessionId: string, listener: Listener): Disposable {
    const { listeners } = this.session(sessionId);
    listeners.add(listener);
    return disposable(() => listeners.delete(listener));
  }

  followRemovals(listener: (sessionId: string) => void): Disposable {
    this.#removalListeners.add(listener);
    return disposable(() => this.#removalListeners.delete(listener));
  }

  /** Takes a session away, then tells, as the relay does. */
  remove(sessionId: string): void {
    this.sessions.delete(sessionId);
    this.#removalListeners.forEach(listener => listener(sessionId));
  }

  followSpecs(): Disposable {
    return disposable(() => undefined);
  }

  followSummaries(listener: (summary: SessionSummary) => void): Disposable {
    this.#summaryListeners.add(listener);
    return disposable(() => this.#summaryListeners.delete(listener));
  }
}
