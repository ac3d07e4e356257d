import { SandpiperError } from '../../../protocol/errors.ts';
import type {
  HostMessage,
  RequestHandlers,
  RequestParams,
  WebviewMessage,
  WebviewMethod,
} from '../../../protocol/webviewApi.ts';
import { parseWebviewMessage } from '../../../protocol/webviewSchemas.ts';
import type { Log } from '../log.ts';
import { toWebviewError } from '../sessions/newSession.ts';

type Ready = Extract<WebviewMessage, { type: 'ready' }>;
type Reply = Extract<HostMessage, { type: 'reply' }>;

/** Takes what the page posts: checks it, hands it to its handler and makes the reply. Loaded with the first message. */
export class PageChannel {
  readonly #handlers: RequestHandlers;
  readonly #log: Log;

  constructor(handlers: RequestHandlers, log: Log) {
    this.#handlers = handlers;
    this.#log = log;
  }

  /** Never throws: what a handler throws is the reply. Returns undefined when there is nobody to reply to. */
  async receive(value: unknown, onReady: (ready: Ready) => void): Promise<Reply | undefined> {
    const parsed = parseWebviewMessage(value);
    if (!parsed.ok) {
      this.#log.warn('chat', `Refused a message of the page: ${parsed.problem}`);
      const refused = new SandpiperError('invalid_params', parsed.problem);
      return parsed.requestId === undefined
        ? undefined
        : { type: 'reply', requestId: parsed.requestId, ok: false, error: toWebviewError(refused) };
    }
    const { message } = parsed;
    if (message.type === 'ready') {
      onReady(message);
      return undefined;
    }
    const { requestId, method, params } = message;
    try {
      return { type: 'reply', requestId, ok: true, result: await this.#answer(method, params) };
    } catch (thrown) {
      this.#log.error('chat', `The page's request "${method}" failed`, thrown);
      return { type: 'reply', requestId, ok: false, error: toWebviewError(thrown) };
    }
  }

  #answer<M extends WebviewMethod>(method: M, params: RequestParams<M>): Promise<unknown> {
    return this.#handlers[method](params);
  }
}
