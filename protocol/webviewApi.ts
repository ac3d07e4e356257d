import type { CallResult, NotificationParams } from './calls.ts';
import type { MessageWay, SettingsChange } from './composing.ts';
import type { WireErrorData } from './errors.ts';
import type { ApprovalDecision, LiveItem, PermissionMode, SessionEvent } from './events.ts';
import type { Image } from './images.ts';
import type { PullRequestDeed } from './landingCalls.ts';
import type { OutboxEntry } from './outbox.ts';
import type { SessionState, SessionSummary } from './session.ts';

/*
 * What the chat page and its host say to each other. The host is the extension; the page holds no socket and no token.
 * Types and tiny guards only, so that the page's bundle stays small: the host validates what the page sends with
 * webviewSchemas.ts, because the page renders hostile text.
 *
 * Life of a page: it loads, sends `ready` with what it still has, and gets `connection`, `sessions`, `draft` and then
 * either the missing `events` or a whole `open`. It folds events with the reducer; when that throws because of a gap it
 * sends `ready` without a seq and gets `open` again. A hidden page is destroyed, and messages to it are lost: that is fine.
 */

export type ConnectionState = 'connecting' | 'connected' | 'offline' | 'refused';

/** A failure fit for a person: what happened, and what to do next. */
export interface WebviewError extends WireErrorData {
  message: string;
}

/** What the composer of a new session shows before anything is started. */
export interface DraftContext {
  /** What a session would start from; absent while it is not known or when there is none. */
  repository?: CallResult<'repository.inspect'>;
  /** Why no session can start here: no folder, no git repository, a virtual workspace. */
  problem?: WebviewError;
  /** More than one folder is open, so `chooseRepository` has a choice to offer. */
  canChoose: boolean;
  /** Where the agent may work; the first available one is taken. Empty while the relay is not connected. */
  providers: CallResult<'relay.info'>['providers'];
  /** True when no provider isolates the agent here: starting then needs `acceptNoIsolation`, each time. */
  needsConsent: boolean;
  /** Sentences the user should read before starting: why there is no isolation, no model key, no agent. */
  notes: string[];
  modelKeyPresent: boolean;
  defaults: { permissionMode: PermissionMode; model?: string; includeUncommitted: boolean };
}

/** Host to page. */
export type HostMessage =
  /** `retryInMs`: how long until the next attempt, when one is waited for. */
  | { type: 'connection'; state: ConnectionState; detail?: string; retryInMs?: number }
  | { type: 'sessions'; summaries: SessionSummary[] }
  /**
   * The session to show, whole. `sessionId` null: none, show the composer of a new session.
   * `state` null with a `sessionId`: it is being loaded, or `problem` says why it cannot be.
   */
  | { type: 'open'; sessionId: string | null; state: SessionState | null; live: LiveItem[]; problem?: WebviewError }
  /** The next events of the open session, in order and without gaps. */
  | { type: 'events'; sessionId: string; events: SessionEvent[] }
  /** Text being written now. `offset` is the UTF-16 length of what came before; 0 begins the item anew. */
  | ({ type: 'delta' } & NotificationParams<'session.delta'>)
  /** All that was typed or answered and is not in the log for certain, of every session. Sent with `ready` and after each change. */
  | { type: 'outbox'; entries: OutboxEntry[] }
  | { type: 'draft'; context: DraftContext }
  /** Put the cursor into the composer, after `text` when there is one (it is appended, never replaces a draft). */
  | { type: 'compose'; text?: string }
  /** Bring a row of the chat into sight: an item of the open session. */
  | { type: 'show'; sessionId: string; itemId: string }
  | { type: 'reply'; requestId: number; ok: true; result: unknown }
  | { type: 'reply'; requestId: number; ok: false; error: WebviewError };

export type TurnAction = 'restore' | 'branch' | 'compare' | 'openFiles' | 'undo';

/** Everything the page can ask for. A new row does not compile until page and host have it. */
export interface WebviewRequests {
  startSession: {
    params: {
      prompt: string;
      images?: Image[];
      includeUncommitted: boolean;
      permissionMode: PermissionMode;
      model?: string;
      acceptNoIsolation?: boolean;
    };
    result: { sessionId: string };
  };
  /** Somebody writes the task of a new session: what it will need is got ready. */
  warm: { params: Empty; result: Empty };
  /** Asks which of the open folders a new session works on; a new `draft` follows. */
  chooseRepository: { params: Empty; result: Empty };
  /**
   * Answered when the message is in the outbox of the host, so durable; it goes out when the relay can be reached. The same
   * key again changes nothing.
   */
  send: {
    params: { sessionId: string; text: string; key: string; way?: MessageWay; images?: Image[] };
    result: Empty;
  };
  /** Takes back what has not left, or discards what was refused; `conflict` when the relay may have it. */
  withdraw: { params: { key: string }; result: Empty };
  /** Sends a refused message once more. */
  sendAgain: { params: { key: string }; result: Empty };
  /** Takes back a message that the relay has queued. @throws `conflict` when the agent may have it */
  unqueue: { params: OfMessage; result: { text: string } };
  /** Hands a queued message over earlier. */
  hurry: { params: OfMessage & { way: 'steer' | 'interrupt' }; result: Empty };
  /** Paths of the session's files that a few typed characters may mean. */
  findPaths: { params: { sessionId: string; query: string }; result: { paths: string[] } };
  /** What the editor can add to a message: the selection, symbols. None without an editor. */
  editorMentions: {
    params: { query: string };
    result: { mentions: { label: string; detail: string; insert: string }[] };
  };
  /** A session in words, for the agent of another one. */
  describeSession: { params: OfSession; result: { text: string } };
  /** Another model, effort or mode for the agent; null is its own choice. */
  configure: { params: OfSession & SettingsChange; result: { applies: 'now' | 'nextTurn' } };
  /**
   * Begins to bring files and conversation back to the end of a turn, without a question: `restore` names it, and the
   * session says when it is done.
   */
  goBack: { params: { sessionId: string; turn: number }; result: { restore: number } };
  stop: { params: OfSession; result: { stopping: boolean } };
  /**
   * As `send`: answered when the answer is in the outbox of the host. `conflict` when another answer to it is there.
   */
  answer: {
    params: { sessionId: string; approvalId: string; decision: ApprovalDecision; key: string };
    result: Empty;
  };
  retry: { params: OfSession; result: Empty };
  /** All pending changes in the multi-file diff editor. */
  openChanges: { params: OfSession; result: Empty };
  /** One file in the diff editor, at what the tool call `itemId` wrote. `path` may be the agent's absolute path. */
  openFile: { params: { sessionId: string; path: string; itemId?: string }; result: Empty };
  /** A plan that the agent asks about, as a document whose lines can be commented. */
  openPlan: { params: { sessionId: string; approvalId: string }; result: Empty };
  /** Asks first where something changes. */
  turnAction: { params: { sessionId: string; turn: number; action: TurnAction }; result: Empty };
  acceptAll: { params: OfSession; result: Empty };
  /** Merges the change into the files that are open; asks where something is to choose. */
  applyChanges: { params: OfSession; result: Empty };
  /** `url` is absent when the user cancelled. */
  createPullRequest: { params: OfSession; result: { url?: string } };
  /** Has the agent do something about the pull request, in a turn. */
  pinSession: { params: { sessionId: string; pinned: boolean }; result: Empty };
  tendPullRequest: { params: { sessionId: string; deed: PullRequestDeed | 'updateFromBase' }; result: Empty };
  openExternal: { params: { url: string }; result: Empty };
  /** Shows another session, or with null the composer of a new one; `open` follows. */
  selectSession: { params: { sessionId: string | null }; result: Empty };
  /** A range of a payload; `content` is base64, `bytes` the length of the whole. */
  readBlob: { params: { sessionId: string; hash: string; offset: number }; result: { content: string; bytes: number } };
  /** A page of the log, for what a snapshot left out (`SessionState.omittedItems`). */
  readEvents: { params: { sessionId: string; after: number }; result: { events: SessionEvent[]; lastSeq: number } };
  /** Tries to connect now instead of waiting. Answered at once; `connection` says what comes of it. */
  reconnect: { params: Empty; result: Empty };
  showLog: { params: Empty; result: Empty };
  copy: { params: { text: string }; result: Empty };
  /** Where words stand in all sessions. */
  searchSessions: { params: { query: string }; result: CallResult<'session.search'> };
  /** Shows a session at a row of it. */
  showPlace: { params: { sessionId: string; itemId?: string }; result: Empty };
  /** Asks for a format and a place, and writes all of the session there. */
  exportSession: { params: OfSession; result: Empty };
  /** Puts code at the cursor of the editor, in place of what is selected there. */
  insertCode: { params: { text: string }; result: Empty };
  /**
   * Brings code into the file that it names, or into the one that is open: an edit that can be undone, and is not saved. Asks
   * where its place is not clear.
   */
  applyCode: { params: { text: string; language?: string; path?: string }; result: Empty };
  /** Asks the user for the model key, in an input box of the editor. */
  setModelKey: { params: Empty; result: { stored: boolean } };
}

export type WebviewMethod = keyof WebviewRequests;
export type RequestParams<M extends WebviewMethod> = WebviewRequests[M]['params'];
export type RequestResult<M extends WebviewMethod> = WebviewRequests[M]['result'];

/** Page to host. */
export type WebviewMessage =
  /** The page is drawn. It has `sessionId` up to `seq`; without a seq it wants the session whole. */
  | { type: 'ready'; sessionId?: string; seq?: number }
  | {
      [M in WebviewMethod]: { type: 'request'; requestId: number; method: M; params: RequestParams<M> };
    }[WebviewMethod];

/** The host's side: one handler a request. What a handler throws becomes the error of the reply. */
export type RequestHandlers = {
  [M in WebviewMethod]: (params: RequestParams<M>) => Promise<RequestResult<M>>;
};

type Empty = Record<never, never>;
interface OfSession {
  sessionId: string;
}
interface OfMessage extends OfSession {
  messageId: string;
}

const HOST_MESSAGES: Record<HostMessage['type'], true> = {
  connection: true,
  sessions: true,
  open: true,
  events: true,
  delta: true,
  outbox: true,
  draft: true,
  compose: true,
  show: true,
  reply: true,
};

/** Whether this is a message of our host. Its content is trusted: only the host can post to the page. */
export function isHostMessage(value: unknown): value is HostMessage {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    Object.hasOwn(HOST_MESSAGES, value.type)
  );
}
