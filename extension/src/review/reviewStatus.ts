import * as vscode from 'vscode';
import { progressText } from '../../../protocol/progressText.ts';
import { DisposableStore } from '../disposables.ts';
import { REVIEW_STATUS_ITEM } from '../manifest.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { ChangesTree } from './changesTree.ts';
import { t } from '../../../protocol/text.ts';

/** How far the review in sight is; a click goes on with it. */
export class ReviewStatus implements vscode.Disposable {
  readonly #store: SessionStore;
  readonly #tree: ChangesTree;
  readonly #disposables = new DisposableStore();
  readonly #item: vscode.StatusBarItem;

  constructor(store: SessionStore, tree: ChangesTree) {
    this.#store = store;
    this.#tree = tree;
    this.#item = this.#disposables.add(
      vscode.window.createStatusBarItem(REVIEW_STATUS_ITEM, vscode.StatusBarAlignment.Left, 49),
    );
    this.#item.name = t('Sandpiper Review');
    this.#disposables.add(store.onDidChange(() => this.#draw()));
    this.#disposables.add(tree.onDidChangeTreeData(() => this.#draw()));
    this.#draw();
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #draw(): void {
    const sessionId = this.#tree.sessionInSight();
    const summary = sessionId === undefined ? undefined : this.#store.get(sessionId);
    const text = summary?.review && progressText(summary.review);
    if (!summary?.review || text === undefined || sessionId === undefined) {
      this.#item.hide();
      return;
    }
    const { pending, conflicts } = summary.review;
    this.#item.text = `$(${pending === 0 ? 'check-all' : 'checklist'}) ${text}`;
    this.#item.tooltip = [
      `${summary.title}: ${text}`,
      ...(conflicts === 0 ? [] : [t('{0} in conflict', conflicts)]),
      pending === 0 ? t('Open the changes') : t('Open what is pending'),
    ].join('\n');
    this.#item.accessibilityInformation = { label: t('Sandpiper: {0}', text), role: 'button' };
    this.#item.command = { command: 'sandpiper.openChanges', title: t('Open Changes'), arguments: [sessionId] };
    this.#item.show();
  }
}
