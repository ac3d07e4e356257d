import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';

/** What is pending in a session's review. */
export type Pending = CallResult<'review.list'>;
export type PendingFile = Pending['files'][number];

/** A review moved on: by a decision in any window, or by a turn that ended. */
export interface ReviewMove {
  sessionId: string;
  before: Pending | undefined;
  after: Pending;
}

/**
 * This window's copy of the reviews that somebody asked for. Each is taken anew when its session's row says that it moved,
 * and everything that shows a review listens here.
 */
export class PendingChanges implements vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  readonly #moved = this.#disposables.add(new vscode.EventEmitter<ReviewMove>());
  readonly #known = new Map<string, Pending>();
  readonly #running = new Map<string, Promise<Pending>>();
  readonly #queued = new Map<string, Promise<Pending>>();

  readonly onDidMove = this.#moved.event;

  constructor(relay: RelayConnection, store: SessionStore, log: Log) {
    this.#relay = relay;
    this.#store = store;
    this.#log = log;
    this.#disposables.add(store.onDidChange(() => this.#follow()));
    this.#disposables.add(relay.onDidChangeTarget(() => this.#known.clear()));
  }

  /** What is known without asking. */
  peek(sessionId: string): Pending | undefined {
    return this.#known.get(sessionId);
  }

  async get(sessionId: string): Promise<Pending> {
    return this.#known.get(sessionId) ?? this.#running.get(sessionId) ?? this.refresh(sessionId);
  }

  /** As it is now: what was asked for before may have been answered before, so it is asked again after that. */
  refresh(sessionId: string): Promise<Pending> {
    const running = this.#running.get(sessionId);
    if (!running) {
      return this.#load(sessionId);
    }
    const queued =
      this.#queued.get(sessionId) ??
      running
        .catch(() => undefined)
        .then(() => {
          this.#queued.delete(sessionId);
          return this.#load(sessionId);
        });
    this.#queued.set(sessionId, queued);
    return queued;
  }

  /** As it is with these two sides or later, asked for only when it has not come by itself. */
  async reach(sessionId: string, sides: Pick<Pending, 'accepted' | 'proposed'>): Promise<Pending> {
    const running = this.#running.get(sessionId)?.catch(() => undefined);
    const now = (await running) ?? this.#known.get(sessionId);
    return now && now.accepted === sides.accepted && now.proposed === sides.proposed ? now : this.refresh(sessionId);
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #load(sessionId: string): Promise<Pending> {
    const loading = this.#relay.call('review.list', { sessionId }).then(
      after => {
        this.#running.delete(sessionId);
        const before = this.#known.get(sessionId);
        this.#known.set(sessionId, after);
        if (!before || hasMoved(before, after)) {
          this.#moved.fire({ sessionId, before, after });
        }
        return after;
      },
      (thrown: unknown) => {
        this.#running.delete(sessionId);
        throw thrown;
      },
    );
    this.#running.set(sessionId, loading);
    return loading;
  }

  /** A row that comes while its review is on its way may be newer than that. */
  #follow(): void {
    for (const [sessionId, known] of this.#known) {
      const { review } = this.#store.get(sessionId) ?? {};
      if (review && isOther(review, known) && !this.#queued.has(sessionId)) {
        this.refresh(sessionId).catch((thrown: unknown) => {
          // It differs still when the row comes again, with the connection at the latest.
          this.#log.error('review', 'Could not follow a review', thrown);
        });
      }
    }
  }
}

function isOther(review: NonNullable<SessionSummary['review']>, known: Pending): boolean {
  return (
    review.accepted !== known.accepted ||
    review.proposed !== known.proposed ||
    review.conflicts !== known.conflicts.length ||
    review.reviewed !== known.review.reviewed
  );
}

function hasMoved(before: Pending, after: Pending): boolean {
  return (
    before.accepted !== after.accepted ||
    before.proposed !== after.proposed ||
    before.conflicts.length !== after.conflicts.length ||
    before.review.reviewed !== after.review.reviewed
  );
}
