import type { LiveItem, SessionEvent } from '../../../protocol/events.ts';
import type { NotificationParams } from '../../../protocol/calls.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import type { Disposable } from '../core/disposable.ts';

/** What sockets and event streams read sessions through. Listeners are called in order and must not throw or block. */
export interface EventSource {
  /** Committed events after `afterSeq`, oldest first. @throws not_found */
  read(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]>;
  /** The state at its last committed event, its items cut to the last `maxItems`. @throws not_found */
  snapshot(sessionId: string, maxItems: number): Promise<SessionState>;
  /** Text that is being written at this moment, whole so far. Synchronous, so that no delta falls between this and `follow`. */
  liveItems(sessionId: string): LiveItem[];
  /** Called with every event after its commit, and with every delta, from now on. */
  follow(
    sessionId: string,
    listener: {
      onEvents(events: readonly SessionEvent[]): void;
      onDelta(delta: NotificationParams<'session.delta'>): void;
    },
  ): Disposable;
  /** Called when the row of any session changed. */
  followSummaries(listener: (summary: SessionSummary) => void): Disposable;
  /** Called when a session was deleted; its followers hear nothing more. */
  followRemovals(listener: (sessionId: string) => void): Disposable;
  /** Called with what a spec is now, when one was written, removed or put back. */
  followSpecs(listener: (spec: SpecDocument) => void): Disposable;
}
