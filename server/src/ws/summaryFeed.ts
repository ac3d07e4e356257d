import { notificationFrame } from '../../../protocol/rpc.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { disposable } from '../core/disposable.ts';
import type { Disposable } from '../core/disposable.ts';
import type { EventSource } from '../sessions/eventSource.ts';

const INTERVAL_MS = 50;
/** With very many busy sessions rows become less frequent: nobody reads a thousand rows that change three times a second. */
const MS_PER_ROW = 2;
const MAX_INTERVAL_MS = 1000;

export interface SummaryListener {
  /** Must not throw. A later frame of the same session or spec replaces an earlier one. */
  onSummary(id: string, frame: Buffer): void;
  /** Must not throw. */
  onRemoved(sessionId: string, frame: Buffer): void;
}

/**
 * Rows of the lists for every client. Of sessions the first change at once, then the latest of each every 50 ms, or up to
 * every second; of specs, which people write, each at once.
 */
export class SummaryFeed implements Disposable {
  readonly #listeners = new Set<SummaryListener>();
  readonly #following: Disposable[];
  #pending = new Map<string, SessionSummary>();
  #timer: NodeJS.Timeout | undefined;

  constructor(source: EventSource) {
    this.#following = [
      source.followSummaries(summary => {
        this.#pending.set(summary.id, summary);
        if (!this.#timer) {
          this.#handOut();
        }
      }),
      source.followRemovals(sessionId => {
        this.#pending.delete(sessionId);
        const frame = Buffer.from(notificationFrame('session.removed', { sessionId }));
        for (const listener of this.#listeners) {
          listener.onRemoved(sessionId, frame);
        }
      }),
      source.followSpecs(spec => {
        const frame = Buffer.from(notificationFrame('spec.changed', { spec }));
        for (const listener of this.#listeners) {
          listener.onSummary(spec.specId, frame);
        }
      }),
    ];
  }

  add(listener: SummaryListener): Disposable {
    this.#listeners.add(listener);
    return disposable(() => this.#listeners.delete(listener));
  }

  dispose(): void {
    this.#following.forEach(following => following.dispose());
    clearTimeout(this.#timer);
    this.#listeners.clear();
    this.#pending.clear();
  }

  #handOut(): void {
    this.#timer = undefined;
    if (this.#pending.size === 0) {
      return;
    }
    const pending = this.#pending;
    this.#pending = new Map();
    const pauseMs = Math.min(MAX_INTERVAL_MS, Math.max(INTERVAL_MS, pending.size * MS_PER_ROW));
    this.#timer = setTimeout(() => this.#handOut(), pauseMs);
    if (this.#listeners.size === 0) {
      return;
    }
    for (const [sessionId, summary] of pending) {
      const frame = Buffer.from(notificationFrame('session.changed', { summary }));
      for (const listener of this.#listeners) {
        listener.onSummary(sessionId, frame);
      }
    }
  }
}
