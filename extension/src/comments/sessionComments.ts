import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { Comment } from '../../../protocol/commentText.ts';

/** The comments of the sessions that somebody looks at, as the relay has them. */
export class SessionComments implements vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #store: SessionStore;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<string>());
  readonly #known = new Map<string, readonly Comment[]>();
  /** The seq of each session when its comments were read. */
  readonly #readAt = new Map<string, number | undefined>();
  /** True: something changed while it was read. */
  readonly #reading = new Map<string, boolean>();

  /** With the id of the session. */
  readonly onDidChange = this.#changed.event;

  constructor(relay: RelayLink, store: SessionStore, log: Log) {
    this.#relay = relay;
    this.#log = log;
    this.#store = store;
    // Also after a reconnect: then the list is read anew, and a session may have moved on unseen.
    this.#disposables.add(
      store.onDidChange(() => {
        for (const [id, seq] of this.#readAt) {
          if (store.get(id)?.seq !== seq) {
            void this.refresh(id);
          }
        }
      }),
    );
  }

  /** Undefined until they were read; then `onDidChange` says so. */
  of(sessionId: string): readonly Comment[] | undefined {
    if (!this.#known.has(sessionId) && !this.#reading.has(sessionId)) {
      void this.refresh(sessionId);
    }
    return this.#known.get(sessionId);
  }

  async refresh(sessionId: string): Promise<void> {
    if (this.#reading.has(sessionId)) {
      this.#reading.set(sessionId, true);
      return;
    }
    this.#reading.set(sessionId, false);
    this.#readAt.set(sessionId, this.#store.get(sessionId)?.seq);
    try {
      const { comments } = await this.#relay.call('review.comments', { sessionId });
      this.#known.set(sessionId, comments);
      this.#changed.fire(sessionId);
    } catch (thrown) {
      // The status item says that the relay is away; what was read stays.
      this.#log.error('review', 'Could not read the comments', thrown);
    }
    const again = this.#reading.get(sessionId);
    this.#reading.delete(sessionId);
    if (again) {
      await this.refresh(sessionId);
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}
