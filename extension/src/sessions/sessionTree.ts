import * as vscode from 'vscode';
import { isCounted, isRecoverable, summaryText } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import { VIEWS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { count, describeSession, groupOf, groupSessions, sessionContext, sessionTooltip } from './sessionGroups.ts';
import type { GroupId, SessionGroup } from './sessionGroups.ts';
import type { SessionStore } from './sessionStore.ts';

export type SessionNode = { kind: 'group'; group: SessionGroup } | { kind: 'session'; summary: SessionSummary };

const ICONS: Record<GroupId, { icon: string; color?: string }> = {
  needsYou: { icon: 'bell-dot', color: 'charts.yellow' },
  running: { icon: 'loading~spin' },
  ready: { icon: 'git-compare', color: 'charts.blue' },
  done: { icon: 'pass', color: 'charts.green' },
  archived: { icon: 'archive' },
};

const CLOCK_MS = 5000;

/** The list of sessions in the activity bar, by what they want from a person. */
export class SessionTree implements vscode.TreeDataProvider<SessionNode>, vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<SessionNode>;
  #redraw: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(relay: RelayConnection, store: SessionStore) {
    this.#relay = relay;
    this.#store = store;
    this.#view = this.#disposables.add(vscode.window.createTreeView(VIEWS.sessions, { treeDataProvider: this }));
    this.#disposables.add(store.onDidChange(() => this.#scheduleRedraw()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#redraw) });
    const clock = setInterval(() => this.#tick(), CLOCK_MS);
    this.#disposables.add({ dispose: () => clearInterval(clock) });
  }

  getChildren(node?: SessionNode): SessionNode[] {
    if (!node) {
      this.#relay.connect();
      return groupSessions(this.#store.summaries).map(group => ({ kind: 'group', group }));
    }
    return node.kind === 'group' ? node.group.sessions.map(summary => ({ kind: 'session', summary })) : [];
  }

  getTreeItem(node: SessionNode): vscode.TreeItem {
    return node.kind === 'group' ? groupItem(node.group) : sessionItem(node.summary);
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** Rows that say for how long something has taken grow old. */
  #tick(): void {
    const counts = ({ doing }: SessionSummary) => doing && (isCounted(doing) || doing.kind === 'stuck');
    if (this.#view.visible && [...this.#store.summaries].some(counts)) {
      this.#changed.fire();
    }
  }

  /** Events come in bursts; a tree that redraws at each of them flickers under the pointer. */
  #scheduleRedraw(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#changed.fire();
      const waiting = this.#store.summaries.filter(summary => groupOf(summary) === 'needsYou').length;
      this.#view.badge =
        waiting > 0
          ? { value: waiting, tooltip: `${count(waiting, 'session')} ${waiting === 1 ? 'needs' : 'need'} you` }
          : undefined;
    }, 100);
  }
}

function groupItem(group: SessionGroup): vscode.TreeItem {
  const item = new vscode.TreeItem(
    group.label,
    group.id === 'archived' ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.Expanded,
  );
  item.id = `group:${group.id}`;
  item.description = String(group.sessions.length);
  item.contextValue = 'group';
  item.accessibilityInformation = { label: `${group.label}, ${count(group.sessions.length, 'session')}` };
  return item;
}

function lookOf(summary: SessionSummary): { icon: string; color?: string } {
  if (summary.phase === 'blocked') {
    return { icon: 'error', color: 'charts.red' };
  }
  return isRecoverable(summary) ? { icon: 'warning', color: 'charts.yellow' } : ICONS[groupOf(summary)];
}

function sessionItem(summary: SessionSummary): vscode.TreeItem {
  const item = new vscode.TreeItem(summary.title, vscode.TreeItemCollapsibleState.None);
  const look = lookOf(summary);
  item.id = summary.id;
  item.description = describeSession(summary, Date.now());
  item.tooltip = sessionTooltip(summary, Date.now());
  item.contextValue = sessionContext(summary);
  item.iconPath = new vscode.ThemeIcon(
    look.icon,
    look.color === undefined ? undefined : new vscode.ThemeColor(look.color),
  );
  item.accessibilityInformation = { label: `${summary.title}, ${summaryText(summary, Date.now())}` };
  item.command = { command: 'sandpiper.openSession', title: 'Open Session', arguments: [summary.id] };
  return item;
}
