import * as vscode from 'vscode';
import type { SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { UserErrors } from '../userErrors.ts';

export interface SessionChange {
  before: SessionSummary | undefined;
  after: SessionSummary;
}

const PAGE = 200;
/** Nobody has more sessions than they can look through. */
const MOST = 5000;

/** This window's copy of the list of sessions. Its truth is the relay's; here it is only shown. */
export class SessionStore implements vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #errors: UserErrors;
  readonly #summaries = new Map<string, SessionSummary>();
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #sessionChanged = this.#disposables.add(new vscode.EventEmitter<SessionChange>());
  /** How many are to be here at most. */
  #wanted = { open: PAGE, archived: 50 };
  #older = { open: false, archived: false };
  #loaded = false;

  /** The list changed in any way. */
  readonly onDidChange = this.#changed.event;
  /** One session moved on while this window watched; not fired for what a (re)load brings. */
  readonly onDidChangeSession = this.#sessionChanged.event;

  constructor(relay: RelayConnection, errors: UserErrors) {
    this.#relay = relay;
    this.#errors = errors;
    this.#disposables.add(
      relay.onDidChangeState(() => {
        if (relay.state === 'connected') {
          void this.refresh();
        }
      }),
    );
    this.#disposables.add(relay.onDidChangeSession(summary => this.#update(summary)));
    this.#disposables.add(relay.onDidRemoveSession(sessionId => this.#remove(sessionId)));
    this.#disposables.add(relay.onDidChangeTarget(() => this.#clear()));
  }

  /** False until the first list has come. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get summaries(): SessionSummary[] {
    return [...this.#summaries.values()];
  }

  get(sessionId: string): SessionSummary | undefined {
    return this.#summaries.get(sessionId);
  }

  /** Whether the relay has older sessions than those that are here. */
  hasOlder(archived: boolean): boolean {
    return this.#older[part(archived)];
  }

  /** Takes in what is older, a page more. */
  async loadOlder(archived: boolean): Promise<void> {
    this.#wanted[part(archived)] += PAGE;
    await this.refresh();
  }

  /** Takes in everything, for whoever looks for a session; in the background. */
  loadAll(): void {
    if (this.#older.open || this.#older.archived || !this.#loaded) {
      this.#wanted = { open: MOST, archived: MOST };
      if (this.#relay.state === 'connected') {
        void this.refresh();
      }
    }
  }

  /** Takes the list anew. Changes that arrive while it is on its way are newer and stay. */
  async refresh(): Promise<void> {
    try {
      const [open, archived, pinned] = await Promise.all([
        this.#list(false),
        this.#list(true),
        this.#relay.call('session.list', { pinned: true, limit: PAGE }),
      ]);
      const listed = [...open, ...archived, ...pinned.sessions];
      const kept = new Set(listed.map(summary => summary.id));
      for (const id of [...this.#summaries.keys()].filter(known => !kept.has(known))) {
        this.#summaries.delete(id);
      }
      for (const summary of listed) {
        if ((this.#summaries.get(summary.id)?.seq ?? 0) <= summary.seq) {
          this.#summaries.set(summary.id, summary);
        }
      }
      this.#loaded = true;
      this.#changed.fire();
    } catch (thrown) {
      // A lost connection is shown by the status item; the list comes again with the connection.
      if (this.#relay.state === 'connected') {
        this.#errors.show(thrown, { tag: 'sessions', doing: 'list the sessions', retry: () => void this.refresh() });
      }
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** As many as are wanted, page by page. */
  async #list(archived: boolean): Promise<SessionSummary[]> {
    const wanted = this.#wanted[part(archived)];
    const sessions: SessionSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#relay.call('session.list', {
        archived,
        limit: Math.min(PAGE, wanted - sessions.length),
        ...(cursor === undefined ? {} : { cursor }),
      });
      sessions.push(...page.sessions);
      cursor = page.nextCursor;
    } while (cursor !== undefined && sessions.length < wanted);
    this.#older[part(archived)] = cursor !== undefined;
    return sessions;
  }

  #update(after: SessionSummary): void {
    const before = this.#summaries.get(after.id);
    if (before && before.seq > after.seq) {
      return;
    }
    this.#summaries.set(after.id, after);
    this.#changed.fire();
    this.#sessionChanged.fire({ before, after });
  }

  #remove(sessionId: string): void {
    if (this.#summaries.delete(sessionId)) {
      this.#changed.fire();
    }
  }

  #clear(): void {
    this.#summaries.clear();
    this.#loaded = false;
    this.#changed.fire();
  }
}

function part(archived: boolean): 'open' | 'archived' {
  return archived ? 'archived' : 'open';
}
