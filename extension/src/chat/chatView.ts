import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { VIEWS } from '../manifest.ts';
import { ChatEditors } from './chatEditors.ts';
import { ChatPage, type ChatDependencies, type ChatPlace } from './chatPage.ts';

const MEMORY = 'sandpiper.shownSession';

/** The chat in the secondary side bar, and those that stand in editors of their own. */
export class ChatView implements vscode.WebviewViewProvider, ChatPlace, vscode.Disposable {
  /** Sessions in editor tabs and windows. */
  readonly editors: ChatEditors;
  readonly #page: ChatPage;
  readonly #disposables = new DisposableStore();
  readonly #selected = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #opened = new Set<string>();
  #view: vscode.WebviewView | undefined;

  /** Another session is chosen, or what is chosen came into sight. */
  readonly onDidSelect = this.#selected.event;

  constructor(deps: ChatDependencies) {
    this.#page = this.#disposables.add(
      new ChatPage(deps, this, deps.memory.get<string>(MEMORY), {
        onSelect: sessionId => {
          void deps.memory.update(MEMORY, sessionId);
          this.#onSelect(sessionId);
        },
      }),
    );
    this.#disposables.add(
      vscode.window.registerWebviewViewProvider(VIEWS.chat, this, {
        webviewOptions: { retainContextWhenHidden: false },
      }),
    );
    this.editors = this.#disposables.add(new ChatEditors(deps, sessionId => this.#onSelect(sessionId)));
  }

  /** The session that a person can see now; of several the one in the active editor. */
  visibleSessionId(): string | undefined {
    return this.editors.activeSessionId() ?? (this.#view?.visible === true ? this.#page.sessionId : undefined);
  }

  /** Whether a person can see the session now. */
  isVisible(sessionId: string): boolean {
    return (this.#view?.visible === true && this.#page.sessionId === sessionId) || this.editors.isVisible(sessionId);
  }

  /** The session that is chosen in the side bar, seen or not. */
  selectedSessionId(): string | undefined {
    return this.#page.sessionId;
  }

  openedIds(): ReadonlySet<string> {
    return this.#opened;
  }

  async reveal(sessionId: string | undefined, compose?: { text?: string }): Promise<void> {
    this.select(sessionId);
    await vscode.commands.executeCommand(`${VIEWS.chat}.focus`);
    if (compose) {
      this.#page.compose(compose);
    }
  }

  async showItem(sessionId: string, itemId: string): Promise<void> {
    await this.reveal(sessionId);
    this.#page.show(sessionId, itemId);
  }

  select(sessionId: string | undefined): void {
    this.#page.select(sessionId);
  }

  sendDraft(): void {
    this.#page.sendDraft();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    const listeners = new DisposableStore();
    listeners.add(this.#page.attach(view.webview));
    listeners.add(
      view.onDidChangeVisibility(() => {
        if (view.visible) {
          this.#selected.fire();
        } else {
          this.#page.hide();
        }
      }),
    );
    // A session that was chosen before there was a view is in sight only now.
    this.#selected.fire();
    view.onDidDispose(() => {
      listeners.dispose();
      if (this.#view === view) {
        this.#view = undefined;
      }
    });
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #onSelect(sessionId: string | undefined): void {
    if (sessionId !== undefined) {
      this.#opened.add(sessionId);
    }
    this.#selected.fire();
  }
}
