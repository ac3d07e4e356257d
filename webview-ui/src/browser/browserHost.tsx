import { showConnection } from '../../../client/link/showConnection.ts';
import { errorText, toSandpiperError } from '../../../protocol/errors.ts';
import { messageOf, type OutboxContent } from '../../../protocol/outbox.ts';
import { OutboxSender } from '../../../protocol/outboxSender.ts';
import type { RequestHandlers, RequestParams, RequestResult, WebviewMethod } from '../../../protocol/webviewApi.ts';
import type { Announcement, Host } from '../host/host.ts';
import { readSavedPage } from '../host/savedPage.ts';
import { browserToken } from './access.ts';
import { browserRequests } from './browserRequests.ts';
import { ChangesPanel } from './changesPanel.ts';
import { ChangesPanelView } from './changesPanelView.tsx';
import { BrowserOutbox } from './outboxStorage.ts';
import { NewSessionSource } from './newSessionSource.ts';
import { RelayConnection } from './relayConnection.ts';
import { RepositoryField } from './repositoryField.tsx';
import { SessionFollower } from './sessionFollower.ts';
import { SessionList } from './sessionList.tsx';
import { SessionRows } from './sessionRows.ts';

const SAVED = 'sandpiper.page';

/** The page as its own host: it talks to the relay that served it, and has what VS Code has around its webview. */
export async function createBrowserHost(): Promise<Host> {
  let receive: (message: Announcement) => void = () => undefined;
  const tell = (message: Announcement): void => receive(message);
  let refusal: string | undefined;
  const token = await browserToken().catch((thrown: unknown) => {
    const error = toSandpiperError(thrown);
    refusal = `${error.message} ${error.hint ?? ''}`;
    return '';
  });
  let wasConnected = false;
  let detail: string | undefined;
  const relay: RelayConnection = new RelayConnection(token, {
    onState: state => {
      const shown = showConnection(state, wasConnected);
      wasConnected ||= shown.state === 'connected';
      detail = shown.error === 'asBefore' ? detail : shown.error && errorText(shown.error);
      const { retryInMs } = relay;
      tell({
        type: 'connection',
        state: shown.state,
        ...(detail === undefined ? {} : { detail }),
        ...(retryInMs === undefined ? {} : { retryInMs }),
      });
      outbox.connected(shown.state === 'connected' ? location.host : undefined);
    },
    onConnected: () => {
      const ignore = (): undefined => undefined;
      void rows.refresh().catch(ignore);
      void source.refresh();
      void follower.resume();
    },
    onNotification: (method, params) => {
      rows.onNotification(method, params);
      follower.onNotification(method, params);
    },
  });
  const outbox: OutboxSender = new OutboxSender({
    storage: new BrowserOutbox(),
    send: ({ key, sessionId, content }) => sendEntry(relay, key, sessionId, content),
    onChange: () => tell({ type: 'outbox', entries: [...outbox.entries] }),
  });
  const rows = new SessionRows(relay, tell);
  const follower = new SessionFollower(relay, tell);
  const source = new NewSessionSource(relay, tell);
  const changes = new ChangesPanel(relay);
  const handlers = browserRequests({ relay, outbox, follower, source, changes });
  let begun = false;

  return {
    kind: 'browser',
    start: listener => {
      receive = listener;
    },
    ready: sessionId => {
      if (begun) {
        void follower.open(sessionId ?? null);
        return;
      }
      begun = true;
      void outbox.load();
      if (refusal !== undefined) {
        tell({ type: 'connection', state: 'refused', detail: refusal });
        return;
      }
      void follower.open(sessionId ?? null);
      relay.connect();
    },
    request: <M extends WebviewMethod>(method: M, params: RequestParams<M>): Promise<RequestResult<M>> =>
      handle(handlers, method, params),
    load: () => readSavedPage(parse(sessionStorage.getItem(SAVED))),
    save: page => {
      try {
        sessionStorage.setItem(SAVED, JSON.stringify(page));
      } catch {
        // A browser keeps some megabytes for a page: images may be too many for it, words are not.
        sessionStorage.setItem(SAVED, JSON.stringify({ ...page, images: {} }));
      }
    },
    views: {
      Sessions: SessionList,
      Repository: () => <RepositoryField source={source} />,
      Changes: () => <ChangesPanelView panel={changes} />,
    },
  };
}

function sendEntry(
  relay: RelayConnection,
  key: string,
  sessionId: string,
  content: OutboxContent,
): Promise<{ seq: number }> {
  return content.kind === 'message'
    ? relay.call('session.send', { key, sessionId, ...messageOf(content) })
    : relay.call('session.answer', { key, sessionId, approvalId: content.approvalId, decision: content.decision });
}

/** A handler may throw before it has a promise; whoever asked sees one kind of failure only. */
async function handle<M extends WebviewMethod>(
  handlers: RequestHandlers,
  method: M,
  params: RequestParams<M>,
): Promise<RequestResult<M>> {
  return await handlers[method](params);
}

function parse(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
