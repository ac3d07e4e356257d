import * as vscode from 'vscode';
import { decisionsIn } from '../../../protocol/pendingReview.ts';
import { progressText } from '../../../protocol/progressText.ts';
import type { ChatView } from '../chat/chatView.ts';
import { DisposableStore } from '../disposables.ts';
import { VIEWS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { groupByTool, groupByTurn, GROUPINGS } from './changeGroups.ts';
import type { ChangeGroup, Grouping } from './changeGroups.ts';
import { wholeFileText } from './hunkLenses.ts';
import type { Pending, PendingChanges, PendingFile } from './pendingChanges.ts';
import { sessionOfTab } from './reviewTabs.ts';
import { fileUri } from './reviewUris.ts';
import { TurnDiffs } from './turnChanges.ts';
import { count, t, told } from '../../../protocol/text.ts';

const MEMORY = 'sandpiper.changesBy';
const REDRAW_MS = 100;

export type ChangeNode =
  | { kind: 'group'; sessionId: string; group: ChangeGroup }
  | { kind: 'file'; sessionId: string; path: string; file: PendingFile; groupId: string; isConflict: boolean };

/** What is pending in the session that the person looks at: by file, by turn or by tool call. */
export class ChangesTree implements vscode.TreeDataProvider<ChangeNode>, vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #pending: PendingChanges;
  readonly #chat: ChatView;
  readonly #memory: vscode.Memento;
  readonly #turns: TurnDiffs;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<ChangeNode>;
  #sessionId: string | undefined;
  #grouping: Grouping;
  #redraw: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    relay: RelayConnection,
    store: SessionStore,
    pending: PendingChanges,
    chat: ChatView,
    memory: vscode.Memento,
  ) {
    this.#relay = relay;
    this.#store = store;
    this.#pending = pending;
    this.#chat = chat;
    this.#memory = memory;
    this.#turns = new TurnDiffs(relay);
    this.#grouping = GROUPINGS.find(grouping => grouping === memory.get(MEMORY)) ?? 'file';
    this.#view = this.#disposables.add(vscode.window.createTreeView(VIEWS.changes, { treeDataProvider: this }));
    this.#disposables.add(pending.onDidMove(() => this.#schedule()));
    this.#disposables.add(store.onDidChange(() => this.#schedule()));
    this.#disposables.add(vscode.window.tabGroups.onDidChangeTabs(() => this.#schedule()));
    this.#disposables.add(vscode.window.tabGroups.onDidChangeTabGroups(() => this.#schedule()));
    this.#disposables.add(chat.onDidSelect(() => this.#schedule()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#redraw) });
  }

  /** The session whose changes are listed: a review that is open, else the chat's session, else the last such one. */
  sessionInSight(): string | undefined {
    this.#sessionId =
      sessionOfTab(vscode.window.tabGroups.activeTabGroup.activeTab) ??
      this.#chat.visibleSessionId() ??
      this.#sessionId;
    return this.#sessionId !== undefined && this.#store.get(this.#sessionId) ? this.#sessionId : undefined;
  }

  async groupBy(grouping: Grouping): Promise<void> {
    this.#grouping = grouping;
    this.#changed.fire();
    await this.#memory.update(MEMORY, grouping);
  }

  async getChildren(node?: ChangeNode): Promise<ChangeNode[]> {
    if (node) {
      return node.kind === 'group' ? this.#rows(node.sessionId, node.group.files, node.group.id) : [];
    }
    const sessionId = this.sessionInSight();
    if (sessionId === undefined) {
      this.#describe(undefined);
      return [];
    }
    const pending = await this.#pending.get(sessionId);
    this.#describe(pending);
    if (this.#grouping === 'file') {
      return this.#rows(sessionId, pending.files, 'all');
    }
    const state = await this.#relay.call('session.get', { sessionId });
    const groups =
      this.#grouping === 'turn'
        ? groupByTurn(pending.files, await this.#turns.read(state))
        : groupByTool(pending.files, state.items);
    return groups.map(group => ({ kind: 'group', sessionId, group }));
  }

  getTreeItem(node: ChangeNode): vscode.TreeItem {
    return node.kind === 'group' ? groupItem(node.group) : fileItem(node);
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #rows(sessionId: string, files: readonly PendingFile[], groupId: string): ChangeNode[] {
    const conflicts = new Set(this.#pending.peek(sessionId)?.conflicts.map(({ path }) => path));
    return files.map(file => ({
      kind: 'file',
      sessionId,
      path: file.path,
      file,
      groupId,
      isConflict: conflicts.has(file.path),
    }));
  }

  #describe(pending: Pending | undefined): void {
    this.#view.description = pending ? (progressText(pending.review) ?? t('no changes')) : '';
    const isDone = pending && pending.files.length === 0 && pending.review.reviewed > 0;
    this.#view.message = isDone ? t('Everything is reviewed.') : '';
  }

  #schedule(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#changed.fire();
    }, REDRAW_MS);
  }
}

function groupItem({ id, label, description, icon, files }: ChangeGroup): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
  item.id = id;
  item.description = description;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.contextValue = 'group';
  item.accessibilityInformation = { label: `${label}, ${description}, ${count(files.length, 'file')}` };
  return item;
}

function fileItem({ sessionId, path, file, groupId, isConflict }: ChangeNode & { kind: 'file' }): vscode.TreeItem {
  const slash = path.lastIndexOf('/');
  const item = new vscode.TreeItem(fileUri(sessionId, 'proposed', path));
  const what = file.hunks.length === 0 ? wholeFileText(file) : count(decisionsIn(file), 'change');
  const folder = slash < 0 ? '' : path.slice(0, slash);
  const marks = [...(isConflict ? ['conflict'] : []), ...(file.sensitive === undefined ? [] : ['sensitive'])];
  const notes = [...(isConflict ? [t('conflict')] : []), ...(file.sensitive === undefined ? [] : [t('sensitive')])];
  item.id = `${groupId} ${path}`;
  item.label = path.slice(slash + 1);
  item.description = [folder, [what, ...notes].join(', ')].filter(Boolean).join(' · ');
  item.tooltip = [path, what, ...(file.sensitive === undefined ? [] : [told(file.sensitive)])].join('\n');
  item.contextValue = ['change', ...marks].join(' ');
  item.accessibilityInformation = { label: [path, what, ...notes].join(', ') };
  item.command = {
    command: 'sandpiper.openFileChanges',
    title: t('Open File Changes'),
    arguments: [{ sessionId, path }],
  };
  return item;
}
