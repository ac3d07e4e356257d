import * as vscode from 'vscode';
import { isCounted } from '../../../protocol/activity.ts';
import type { Ask, SessionSummary } from '../../../protocol/session.ts';
import { groupOf, groupSessions, type SessionGroup } from '../../../protocol/sessionGroup.ts';
import { DisposableStore } from '../disposables.ts';
import { VIEWS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { ListFilter } from './listFilter.ts';
import { askItem, groupItem, moreItem, sessionItem } from './sessionItems.ts';
import type { SessionStore } from './sessionStore.ts';
import { count, t } from '../../../protocol/text.ts';

export type SessionNode =
  | { kind: 'group'; group: SessionGroup }
  | { kind: 'session'; summary: SessionSummary }
  | { kind: 'ask'; sessionId: string; ask: Ask }
  | { kind: 'more'; archived: boolean };

const CLOCK_MS = 5000;
/** Rows say how old they are in minutes. */
const AGE_TICKS = 12;

/** The list of sessions in the activity bar, by what they want from a person. */
export class SessionTree implements vscode.TreeDataProvider<SessionNode>, vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #filter: ListFilter;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<SessionNode>;
  #redraw: NodeJS.Timeout | undefined;
  #ticks = 0;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(relay: RelayConnection, store: SessionStore, filter: ListFilter) {
    this.#relay = relay;
    this.#store = store;
    this.#filter = filter;
    this.#view = this.#disposables.add(
      vscode.window.createTreeView(VIEWS.sessions, { treeDataProvider: this, showCollapseAll: true }),
    );
    this.#disposables.add(store.onDidChange(() => this.#scheduleRedraw()));
    this.#disposables.add(filter.onDidChange(() => this.#followFilter()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#redraw) });
    const clock = setInterval(() => this.#tick(), CLOCK_MS);
    this.#disposables.add({ dispose: () => clearInterval(clock) });
    this.#followFilter();
  }

  getChildren(node?: SessionNode): SessionNode[] {
    if (!node) {
      this.#relay.connect();
      const groups = groupSessions(this.#fitting()).map(group => ({ kind: 'group', group }) as const);
      return groups;
    }
    switch (node.kind) {
      case 'group':
        return this.#rowsOf(node.group);
      case 'session': {
        const { id, archived, asking = [] } = node.summary;
        return archived ? [] : asking.map(ask => ({ kind: 'ask', sessionId: id, ask }));
      }
      case 'ask':
      case 'more':
        return [];
    }
  }

  getTreeItem(node: SessionNode): vscode.TreeItem {
    switch (node.kind) {
      case 'group':
        return groupItem(node.group, this.#filter.active);
      case 'session':
        return sessionItem(node.summary);
      case 'ask':
        return askItem(node.sessionId, node.ask);
      case 'more':
        return moreItem(node.archived);
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #fitting(): SessionSummary[] {
    const { summaries } = this.#store;
    return this.#filter.active ? summaries.filter(summary => this.#filter.fits(summary)) : summaries;
  }

  /** The list is in the order of activity, so that what is not loaded yet is older than the last row of these groups. */
  #rowsOf({ id, sessions }: SessionGroup): SessionNode[] {
    const rows = sessions.map((summary): SessionNode => ({ kind: 'session', summary }));
    const archived = id === 'archived';
    return (archived || id === 'done') && this.#store.hasOlder(archived) ? [...rows, { kind: 'more', archived }] : rows;
  }

  #followFilter(): void {
    if (this.#filter.active) {
      this.#store.loadAll();
    }
    this.#draw();
  }

  /** Rows that say for how long something has taken grow old. */
  #tick(): void {
    this.#ticks++;
    const counts = ({ doing }: SessionSummary) => doing && (isCounted(doing) || doing.kind === 'stuck');
    if (this.#view.visible && (this.#ticks % AGE_TICKS === 0 || [...this.#store.summaries].some(counts))) {
      this.#changed.fire();
    }
  }

  /** Events come in bursts; a tree that redraws at each of them flickers under the pointer. */
  #scheduleRedraw(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#draw();
    }, 100);
  }

  #draw(): void {
    this.#changed.fire();
    const waiting = this.#store.summaries.filter(summary => groupOf(summary) === 'needsYou').length;
    this.#view.badge =
      waiting > 0
        ? {
            value: waiting,
            tooltip: waiting === 1 ? t('{0} session needs you', waiting) : t('{0} sessions need you', waiting),
          }
        : undefined;
    const shown = this.#filter.active ? this.#fitting().length : 0;
    // Without a row the view is empty and says itself what to do about it.
    const message =
      shown > 0
        ? t('Filter: {0} ({1} of {2})', this.#filter.text, shown, count(this.#store.summaries.length, 'session'))
        : undefined;
    if (this.#view.message !== message) {
      // An absent message is undefined there.
      Object.assign(this.#view, { message });
    }
  }
}
