import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { FollowChange } from '../../../client/followedSession.ts';
import type { SessionMirror } from '../../../protocol/sessionMirror.ts';
import type { HostMessage, WebviewError } from '../../../protocol/webviewApi.ts';
import { DisposableStore } from '../disposables.ts';
import type { Disposable } from '../disposables.ts';
import type { Log } from '../log.ts';
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

/** The session that is being shown, as far as it has come. */
interface Shown {
  sync: PageSync;
  /** Present once there is anything to show. */
  mirror: SessionMirror | undefined;
  following: Disposable;
}

/** What the requests of a page act on: the place where the page stands. */
export interface ChatPlace {
  /** Shows a session, or the composer of a new one, without stealing the focus. */
  select(sessionId: string | undefined): void;
  /** Shows a session, or the composer of a new one, and brings it to the front. */
  reveal(sessionId: string | undefined): Promise<void>;
  /** Brings a row of a session's chat to the front. */
  showItem(sessionId: string, itemId: string): Promise<void>;
  /** Tells the composer of a new session what that would start from. */
  sendDraft(): void;
}

export interface ChatDependencies {
  extensionUri: vscode.Uri;
  memory: vscode.Memento;
  relay: RelayConnection;
  store: SessionStore;
  newSession: NewSession;
  outbox: Outbox;
  log: Log;
  /** Answers the requests of a page. Made late, because some handlers act on its place. */
  channel: (place: ChatPlace) => Promise<PageChannel>;
}

interface PageEvents {
  /** Another session is shown, or none. */
  onSelect: (sessionId: string | undefined) => void;
}

/**
 * A page that shows one session, or the composer of a new one, wherever it stands. A hidden page is destroyed by the editor
 * and brought up to date by seq when it is back, so nothing is posted to a page that has not said `ready`.
 */
export class ChatPage implements vscode.Disposable {
  readonly #deps: ChatDependencies;
  readonly #place: ChatPlace;
  readonly #events: PageEvents;
  readonly #disposables = new DisposableStore();
  #channel: Promise<PageChannel> | undefined;
  #webview: vscode.Webview | undefined;
  #pageReady = false;
  #shown: Shown | undefined;
  #sessionId: string | undefined;
  #frame: NodeJS.Timeout | undefined;
  #list: NodeJS.Timeout | undefined;
  #showWhenReady: Extract<HostMessage, { type: 'show' }> | undefined;
  #composeWhenReady: Extract<HostMessage, { type: 'compose' }> | undefined;

  /** @param sessionId what to show first; it is followed once there is a page */
  constructor(deps: ChatDependencies, place: ChatPlace, sessionId: string | undefined, events: PageEvents) {
    this.#deps = deps;
    this.#place = place;
    this.#events = events;
    this.#sessionId = sessionId;
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

  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Loads the page into a webview. What is returned lets go of the webview, not of what is followed. */
  attach(webview: vscode.Webview): Disposable {
    const root = vscode.Uri.joinPath(this.#deps.extensionUri, 'dist', 'webview');
    this.#webview = webview;
    this.#pageReady = false;
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    const listening = webview.onDidReceiveMessage((message: unknown) => void this.#receive(message));
    webview.html = chatHtml({
      nonce: randomBytes(16).toString('base64'),
      cspSource: webview.cspSource,
      scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(root, 'main.js')).toString(),
      styleUri: webview.asWebviewUri(vscode.Uri.joinPath(root, 'main.css')).toString(),
      language: vscode.env.language,
    });
    this.#deps.relay.connect();
    return {
      dispose: () => {
        listening.dispose();
        if (this.#webview === webview) {
          this.#webview = undefined;
          this.#pageReady = false;
        }
      },
    };
  }

  /** The editor destroyed what stood in the webview; it says `ready` when it is back. */
  hide(): void {
    this.#pageReady = false;
  }

  select(sessionId: string | undefined): void {
    if (sessionId !== this.#sessionId || (sessionId !== undefined && !this.#shown)) {
      this.#select(sessionId);
    }
  }

  /** Puts the cursor into the composer, with a text when one is given, as soon as the page can. */
  compose(compose: { text?: string }): void {
    this.#composeWhenReady = { type: 'compose', ...compose };
    this.#compose();
  }

  /** Brings a row of the session into sight, as soon as the page can. */
  show(sessionId: string, itemId: string): void {
    this.#showWhenReady = { type: 'show', sessionId, itemId };
    this.#compose();
  }

  sendDraft(): void {
    if (this.#pageReady && this.#sessionId === undefined) {
      void this.#deps.newSession.draft().then(context => this.#post({ type: 'draft', context }));
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  async #receive(message: unknown): Promise<void> {
    this.#channel ??= this.#deps.channel(this.#place);
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
    this.#events.onSelect(sessionId);
    this.#shown?.following.dispose();
    this.#shown = undefined;
    if (sessionId !== undefined) {
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
      void this.#webview?.postMessage(message);
    }
  }
}
