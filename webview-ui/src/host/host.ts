import type { ComponentType } from 'preact';
import type { MessageWay } from '../../../protocol/composing.ts';
import type { Image } from '../../../protocol/images.ts';
import type { HostMessage, RequestParams, RequestResult, WebviewMethod } from '../../../protocol/webviewApi.ts';

/** A message that the host does not have for certain. */
export interface Unsent {
  key: string;
  sessionId: string;
  text: string;
  way?: MessageWay;
  images?: Image[];
}

/** What the page keeps while it is hidden or reloaded. Everything else comes again from the host. */
export interface SavedPage {
  sessionId?: string;
  /** Unsent text by session id; the composer of a new session has the key `new`. */
  drafts: Record<string, string>;
  /** Images that go with the drafts, by the same keys. */
  images: Record<string, readonly Image[]>;
  unsent: readonly Unsent[];
  /** Only what people and the agent say is shown; the steps between are folded. */
  focus?: boolean;
}

/** Everything a host says but answers, which it hands to whoever asked. */
export type Announcement = Exclude<HostMessage, { type: 'reply' }>;

/** Parts of the page that only a host without an editor around it needs; they come with that host. */
export interface HostViews {
  /** All sessions. */
  Sessions: ComponentType;
  /** Which repository a new session works on. */
  Repository: ComponentType;
  /** The changes of a session. */
  Changes: ComponentType;
}

/** The place where the page runs: VS Code, or a browser connected to the relay. */
export interface Host {
  readonly kind: 'vscode' | 'browser';
  /** Begins to listen. Messages come one at a time, never during this call. */
  start(receive: (message: Announcement) => void): void;
  /** Asks for the whole of a session; without an id for the one the host thinks of. `open` follows. */
  ready(sessionId?: string): void;
  /** @throws {SandpiperError} with what the user should read */
  request<M extends WebviewMethod>(method: M, params: RequestParams<M>): Promise<RequestResult<M>>;
  load(): SavedPage;
  save(page: SavedPage): void;
  readonly views?: HostViews;
}
