import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { STATUS_ITEM } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { SessionStore } from './sessionStore.ts';
import { statusText } from './statusText.ts';
import type { StatusText } from './statusText.ts';
import { t } from '../../../protocol/text.ts';

const BACKGROUNDS: Record<StatusText['emphasis'], string | undefined> = {
  none: undefined,
  warning: 'statusBarItem.warningBackground',
  error: 'statusBarItem.errorBackground',
};

/** How often the time until the next attempt is counted down. */
const COUNT_MS = 1_000;

/** One item: how many sessions run, how many need the person, and whether the relay answers. */
export class StatusBar implements vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #disposables = new DisposableStore();
  readonly #item: vscode.StatusBarItem;
  #shown = '';
  #countdown: NodeJS.Timeout | undefined;

  constructor(relay: RelayConnection, store: SessionStore) {
    this.#relay = relay;
    this.#store = store;
    this.#item = this.#disposables.add(
      vscode.window.createStatusBarItem(STATUS_ITEM, vscode.StatusBarAlignment.Left, 50),
    );
    this.#item.name = t('Sandpiper Sessions');
    this.#disposables.add(store.onDidChange(() => this.#draw()));
    this.#disposables.add(relay.onDidChangeState(() => this.#draw()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#countdown) });
    this.#draw();
    this.#item.show();
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #draw(): void {
    const { state, detail, retryInMs } = this.#relay;
    const status = statusText(this.#store.summaries, state, detail, Date.now(), retryInMs);
    clearTimeout(this.#countdown);
    if (retryInMs !== undefined && retryInMs > 0) {
      this.#countdown = setTimeout(() => this.#draw(), COUNT_MS);
    }
    const key = JSON.stringify(status);
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    const background = BACKGROUNDS[status.emphasis];
    this.#item.text = status.text;
    this.#item.tooltip = tooltipOf(status);
    this.#item.command = status.command;
    this.#item.accessibilityInformation = { label: status.label, role: 'button' };
    this.#item.backgroundColor = background === undefined ? undefined : new vscode.ThemeColor(background);
  }
}

/** Titles come from prompts: they are put in as text, and only the two commands below can be linked. */
function tooltipOf({ tooltip, rows, command }: StatusText): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.isTrusted = { enabledCommands: ['sandpiper.openSession', 'sandpiper.newSession', 'sandpiper.showAway'] };
  tooltip.split('\n').forEach(line => text.appendText(line).appendMarkdown('\n\n'));
  for (const { sessionId, title, doing } of rows) {
    const target = encodeURIComponent(JSON.stringify([sessionId]));
    text
      .appendMarkdown('- ')
      .appendText(`${title.replaceAll('\n', ' ')}: ${doing} `)
      .appendMarkdown(`[${t('Open')}](command:sandpiper.openSession?${target})\n`);
  }
  if (command === 'sandpiper.showSessions') {
    text.appendMarkdown(
      `\n\n[${t('New Session')}](command:sandpiper.newSession) | [${t('While I was away')}](command:sandpiper.showAway)`,
    );
  }
  return text;
}
