import * as vscode from 'vscode';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { progressText, sessionsOfSpec } from '../../../protocol/specWork.ts';
import { DisposableStore } from '../disposables.ts';
import { VIEWS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { count, t } from '../../../protocol/text.ts';

export type SpecNode =
  { kind: 'spec'; spec: SpecDocument } | { kind: 'use'; spec: SpecDocument; summary: SessionSummary };

/** The specs of the relay, each with the sessions that it was built in. */
export class SpecTree implements vscode.TreeDataProvider<SpecNode>, vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  #redraw: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(relay: RelayConnection, store: SessionStore) {
    this.#relay = relay;
    this.#store = store;
    const view = this.#disposables.add(vscode.window.createTreeView(VIEWS.specs, { treeDataProvider: this }));
    this.#disposables.add(view.onDidChangeVisibility(({ visible }) => visible && this.refresh()));
    this.#disposables.add(relay.onDidChangeTarget(() => this.refresh()));
    this.#disposables.add(store.onDidChange(() => this.refreshSoon()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#redraw) });
  }

  refresh(): void {
    this.#changed.fire();
  }

  /** Once for all that changes at about the same time. */
  refreshSoon(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.refresh();
    }, 300);
  }

  async getChildren(node?: SpecNode): Promise<SpecNode[]> {
    if (!node) {
      const { specs } = await this.#relay.call('spec.list', {});
      return specs.map(spec => ({ kind: 'spec', spec }));
    }
    return node.kind === 'spec'
      ? sessionsOfSpec(node.spec.specId, [...this.#store.summaries]).map(summary => ({
          kind: 'use',
          spec: node.spec,
          summary,
        }))
      : [];
  }

  getTreeItem(node: SpecNode): vscode.TreeItem {
    if (node.kind === 'use') {
      return useItem(node);
    }
    const uses = sessionsOfSpec(node.spec.specId, [...this.#store.summaries]).length;
    return specItem(node.spec, uses);
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}

function specItem(spec: SpecDocument, uses: number): vscode.TreeItem {
  const { None, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(spec.title, uses === 0 ? None : Expanded);
  const [problem] = spec.problems;
  item.id = spec.specId;
  item.description = problem
    ? t('line {0} is wrong', problem.line)
    : `${count(spec.items, 'item')}, ${count(spec.checks, 'check')}`;
  item.tooltip = [
    spec.title,
    t('Revision {0}', spec.revision),
    ...(problem ? [t('Line {0}: {1}', problem.line, problem.message)] : []),
  ].join('\n');
  item.contextValue = problem ? 'spec' : 'spec buildable';
  item.iconPath = problem
    ? new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow'))
    : new vscode.ThemeIcon('checklist');
  item.command = { command: 'sandpiper.openSpec', title: t('Open Spec'), arguments: [spec.specId] };
  return item;
}

function useItem({ spec, summary }: Extract<SpecNode, { kind: 'use' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(summary.title, vscode.TreeItemCollapsibleState.None);
  item.id = `${spec.specId} ${summary.id}`;
  const passed = summary.spec?.outcome === 'passed';
  item.description = summary.spec ? progressText(summary.spec) : '';
  item.iconPath = passed
    ? new vscode.ThemeIcon('pass', new vscode.ThemeColor('charts.green'))
    : new vscode.ThemeIcon('comment-discussion');
  item.command = { command: 'sandpiper.openSession', title: t('Open Session'), arguments: [summary.id] };
  return item;
}
