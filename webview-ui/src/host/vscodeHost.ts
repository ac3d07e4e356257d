import { SandpiperError } from '../../../protocol/errors.ts';
import {
  isHostMessage,
  type HostMessage,
  type RequestParams,
  type RequestResult,
  type WebviewMethod,
} from '../../../protocol/webviewApi.ts';
import type { Announcement, Host, SavedPage } from './host.ts';
import { readSavedPage } from './savedPage.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** Whether the page runs inside a VS Code webview. */
export function isInVsCode(): boolean {
  return typeof acquireVsCodeApi === 'function';
}

/** The extension as host. It holds the connection; the page only shows and asks. */
export function createVsCodeHost(): Host {
  const api = acquireVsCodeApi();
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: SandpiperError): void }>();
  let nextId = 1;

  const settle = (reply: Extract<HostMessage, { type: 'reply' }>): void => {
    const asked = waiting.get(reply.requestId);
    waiting.delete(reply.requestId);
    if (reply.ok) {
      asked?.resolve(reply.result);
    } else {
      asked?.reject(new SandpiperError(reply.error.code, reply.error.message, { hint: reply.error.hint }));
    }
  };

  return {
    kind: 'vscode',
    start: (receive: (message: Announcement) => void) => {
      window.addEventListener('message', event => {
        const message: unknown = event.data;
        if (!isHostMessage(message)) {
          return;
        }
        if (message.type === 'reply') {
          settle(message);
        } else {
          receive(message);
        }
      });
    },
    ready: sessionId => api.postMessage({ type: 'ready', ...(sessionId === undefined ? {} : { sessionId }) }),
    request: <M extends WebviewMethod>(method: M, params: RequestParams<M>): Promise<RequestResult<M>> => {
      const requestId = nextId++;
      const answer = new Promise<unknown>((resolve, reject) => {
        waiting.set(requestId, { resolve, reject });
      });
      api.postMessage({ type: 'request', requestId, method, params });
      // The extension answers a method with the result of its type: the contract binds both sides at compile time.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return answer as Promise<RequestResult<M>>;
    },
    load: () => readSavedPage(api.getState()),
    save: (page: SavedPage) => api.setState(page),
  };
}
