import * as vscode from 'vscode';
import { DisposableStore } from './disposables.ts';
import { mergedIn } from './landing/mergeTab.ts';
import { CONTEXT_KEYS } from './manifest.ts';
import type { ContextKey } from './manifest.ts';
import type { RelayConnection } from './relay/relayConnection.ts';
import type { ListFilter } from './sessions/listFilter.ts';
import type { SessionStore } from './sessions/sessionStore.ts';
import { sessionOfTab } from './review/reviewTabs.ts';
import { onDidChangeSetting, readSetting } from './settings.ts';

/** Sets the keys that `when` clauses of package.json look at. */
export class ContextKeys implements vscode.Disposable {
  readonly #disposables = new DisposableStore();
  readonly #values = new Map<ContextKey, unknown>();

  constructor(relay: RelayConnection, store: SessionStore, filter: ListFilter) {
    const update = (): void => {
      this.#set('connection', relay.state ?? 'none');
      this.#set('hasSessions', store.summaries.length > 0);
      this.#set('customRelay', readSetting('relay.url') !== '');
      this.#set('filtered', filter.active);
      this.#set('mergeActive', mergedIn(vscode.window.tabGroups.activeTabGroup.activeTab) !== undefined);
      this.#set('reviewActive', sessionOfTab(vscode.window.tabGroups.activeTabGroup.activeTab) !== undefined);
    };
    this.#disposables.add(relay.onDidChangeState(update));
    this.#disposables.add(store.onDidChange(update));
    this.#disposables.add(filter.onDidChange(update));
    this.#disposables.add(onDidChangeSetting(['relay.url'], update));
    this.#disposables.add(vscode.window.tabGroups.onDidChangeTabs(update));
    this.#disposables.add(vscode.window.tabGroups.onDidChangeTabGroups(update));
    update();
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #set(key: ContextKey, value: unknown): void {
    if (this.#values.get(key) !== value) {
      this.#values.set(key, value);
      void vscode.commands.executeCommand('setContext', CONTEXT_KEYS[key], value);
    }
  }
}
