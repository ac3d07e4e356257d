import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { FollowChange } from '../../../client/followedSession.ts';
import type { SessionMirror } from '../../../protocol/sessionMirror.ts';
import type { HostMessage, WebviewError } from '../../../protocol/webviewApi.ts';
import { DisposableStore } from '../disposables.ts';
import type { Disposable } from '../disposables.ts';
import type { Log } from '../log.ts';
import { VIEWS } from '../manifest.ts';
import type { Outbox } from '../relay/outbox.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { toWebviewError } from '../sessions/newSession.ts';
import type { NewSession } from '../sessions/newSession.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { chatHtml } from './html.ts';
import type { PageChannel } from './pageChannel.ts';
import { PageSync } from './pageSync.ts';

const FRAME_MS = 16;
/** The list changes with every event of every session; the page needs it far less often. */
const LIST_MS = 250;
const MEMORY = 'sandpiper.shownSession';

/** The session that is being shown, as far as it has come. */
interface Shown {
  sync: PageSync;
  /** Present once there is anything to show. */
  mirror: SessionMirror | undefined;
  following: Disposable;
}

export interface ChatDependencies {
  extensionUri: vscode.Uri;
  memory: vscode.Memento;
  relay: RelayConnection;
  store: SessionStore;
  newSession: NewSession;
  outbox: Outbox;
  log: Log;
  /** Answers the page's requests. Made late, because some handlers act on this view. */
  channel: () => Promise<PageChannel>;
}

/**
 * The chat in the secondary side bar: one session, or the composer of a new one. A hidden page is destroyed by the
 * editor and brought up to date by seq when it is back, so nothing is posted to a page that has not said `ready`.
 */
export class ChatView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #deps: ChatDependencies;
  readonly #disposables = new DisposableStore();
  readonly #selected = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #opened = new Set<string>();
  #channel: Promise<PageChannel> | undefined;
  #view: vscode.WebviewView | undefined;
  #pageReady = false;
  #shown: Shown | undefined;
  #sessionId: string | undefined;
  #frame: NodeJS.Timeout | undefined;
  #list: NodeJS.Timeout | undefined;
  #showWhenReady: Extract<HostMessage, { type: 'show' }> | undefined;
  #composeWhenReady: Extract<HostMessage, { type: 'compose' }> | undefined;

  /** Another session is shown. */
  readonly onDidSelect = this.#selected.event;

  constructor(deps: ChatDependencies) {
    this.#deps = deps;
    this.#sessionId = deps.memory.get<string>(MEMORY);
    this.#disposables.add(
      vscode.window.registerWebviewViewProvider(VIEWS.chat, this, {
        webviewOptions: { retainContextWhenHidden: false },
      }),
    );
    this.#disposables.add(deps.relay.onDidChangeState(() => this.#onConnection()));
    this.#disposables.add(deps.relay.onDidChangeTarget(() => this.#select(undefined)));
    this.#disposables.add(deps.store.onDidChange(() => this.#scheduleList()));
    this.#disposables.add(deps.outbox.onDidChange(() => this.#postOutbox()));
    this.#disposables.add(vscode.workspace.onDidChangeWorkspaceFolders(() => this.sendDraft()));
    this.#disposables.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.sendDraft()));
    this.#disposables.add({
      dispose: () => {
        clearTimeout(this.#frame);
        clearTimeout(this.#list);
        this.#shown?.following.dispose();
      },
    });
  }

  /** The session that a person can see now. */
  visibleSessionId(): string | undefined {
    return this.#view?.visible === true ? this.#sessionId : undefined;
  }

  /** The session that is chosen, seen or not. */
  selectedSessionId(): string | undefined {
    return this.#sessionId;
  }

  openedIds(): ReadonlySet<string> {
    return this.#opened;
  }

  /** Shows a session, or the composer of a new one, and brings the view to the front. */
  async reveal(sessionId: string | undefined, compose?: { text?: string }): Promise<void> {
    this.select(sessionId);
    if (compose) {
      this.#composeWhenReady = { type: 'compose', ...compose };
    }
    await vscode.commands.executeCommand(`${VIEWS.chat}.focus`);
    this.#compose();
  }

  /** Brings a row of a session's chat to the front. */
  async showItem(sessionId: string, itemId: string): Promise<void> {
    this.#showWhenReady = { type: 'show', sessionId, itemId };
    await this.reveal(sessionId);
  }

  /** Shows a session, or the composer of a new one, without stealing the focus. */
  select(sessionId: string | undefined): void {
    if (sessionId !== this.#sessionId || (sessionId !== undefined && !this.#shown)) {
      this.#select(sessionId);
    }
  }

  sendDraft(): void {
    if (this.#pageReady && this.#sessionId === undefined) {
      void this.#deps.newSession.draft().then(context => this.#post({ type: 'draft', context }));
    }
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const root = vscode.Uri.joinPath(this.#deps.extensionUri, 'dist', 'webview');
    const listeners = new DisposableStore();
    this.#view = view;
    this.#pageReady = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [root] };
    listeners.add(view.webview.onDidReceiveMessage((message: unknown) => void this.#receive(message)));
    listeners.add(
      view.onDidChangeVisibility(() => {
        if (!view.visible) {
          this.#pageReady = false;
        }
      }),
    );
    view.onDidDispose(() => {
      listeners.dispose();
      if (this.#view === view) {
        this.#view = undefined;
        this.#pageReady = false;
      }
    });
    view.webview.html = chatHtml({
      nonce: randomBytes(16).toString('base64'),
      cspSource: view.webview.cspSource,
      scriptUri: view.webview.asWebviewUri(vscode.Uri.joinPath(root, 'main.js')).toString(),
      styleUri: view.webview.asWebviewUri(vscode.Uri.joinPath(root, 'main.css')).toString(),
    });
    this.#deps.relay.connect();
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  async #receive(message: unknown): Promise<void> {
    this.#channel ??= this.#deps.channel();
    const channel = await this.#channel;
    const reply = await channel.receive(message, ready => this.#onReady(ready));
    if (reply) {
      this.#post(reply);
    }
  }

  #onReady({ sessionId, seq }: { sessionId?: string; seq?: number }): void {
    this.#pageReady = true;
    this.#postConnection();
    this.#postOutbox();
    this.#post({ type: 'sessions', summaries: this.#deps.store.summaries });
    if (this.#sessionId !== undefined && !this.#shown) {
      this.#follow(this.#sessionId);
    }
    const state = this.#shown?.mirror?.state;
    if (this.#shown?.mirror && state && sessionId === this.#sessionId && seq !== undefined) {
      this.#postAll(this.#shown.sync.resume(seq, state, this.#shown.mirror.live));
    } else {
      this.#postOpen();
    }
    this.sendDraft();
    this.#compose();
  }

  #select(sessionId: string | undefined): void {
    this.#sessionId = sessionId;
    void this.#deps.memory.update(MEMORY, sessionId);
    this.#selected.fire();
    this.#shown?.following.dispose();
    this.#shown = undefined;
    if (sessionId !== undefined) {
      this.#opened.add(sessionId);
      this.#follow(sessionId);
    }
    this.#postOpen();
    this.sendDraft();
  }

  #follow(sessionId: string): void {
    const shown: Shown = { sync: new PageSync(sessionId), mirror: undefined, following: { dispose: () => {} } };
    this.#shown = shown;
    shown.following = this.#deps.relay.follow(sessionId, (mirror, change) => {
      shown.mirror = mirror;
      this.#onMirror(shown, change);
    });
  }

  #onMirror({ sync }: Shown, change: FollowChange): void {
    switch (change.kind) {
      case 'snapshot':
        sync.forget();
        this.#postOpen();
        break;
      case 'events':
        sync.add(change.events);
        this.#scheduleFrame();
        break;
      case 'live':
        this.#scheduleFrame();
        break;
      case 'failed':
        this.#deps.log.warn('chat', `Cannot follow ${sync.sessionId}: ${change.error.message}`);
        this.#postOpen(toWebviewError(change.error));
        break;
    }
  }

  #postOpen(problem?: WebviewError): void {
    const state = this.#shown?.mirror?.state;
    if (this.#shown?.mirror && state) {
      this.#post(this.#shown.sync.open(state, this.#shown.mirror.live));
    } else {
      this.#post({
        type: 'open',
        sessionId: this.#sessionId ?? null,
        state: null,
        live: [],
        ...(problem ? { problem } : {}),
      });
    }
  }

  #scheduleFrame(): void {
    if (this.#pageReady) {
      this.#frame ??= setTimeout(() => {
        this.#frame = undefined;
        if (this.#shown?.mirror) {
          this.#postAll(this.#shown.sync.flush(this.#shown.mirror.live));
        }
      }, FRAME_MS);
    }
  }

  #scheduleList(): void {
    if (this.#pageReady) {
      this.#list ??= setTimeout(() => {
        this.#list = undefined;
        this.#post({ type: 'sessions', summaries: this.#deps.store.summaries });
      }, LIST_MS);
    }
  }

  #onConnection(): void {
    this.#postConnection();
    if (this.#deps.relay.state === 'connected') {
      this.sendDraft();
    }
  }

  #postConnection(): void {
    const { state, detail, retryInMs } = this.#deps.relay;
    this.#post({
      type: 'connection',
      state: state ?? 'connecting',
      ...(detail === undefined ? {} : { detail }),
      ...(retryInMs === undefined ? {} : { retryInMs }),
    });
  }

  #postOutbox(): void {
    this.#post({ type: 'outbox', entries: [...this.#deps.outbox.entries] });
  }

  #compose(): void {
    if (this.#pageReady && this.#composeWhenReady) {
      this.#post(this.#composeWhenReady);
      this.#composeWhenReady = undefined;
    }
    if (this.#pageReady && this.#showWhenReady) {
      this.#post(this.#showWhenReady);
      this.#showWhenReady = undefined;
    }
  }

  #postAll(messages: HostMessage[]): void {
    for (const message of messages) {
      this.#post(message);
    }
  }

  #post(message: HostMessage): void {
    if (this.#pageReady) {
      void this.#view?.webview.postMessage(message);
    }
  }
}
