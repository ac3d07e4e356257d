import { ERROR_CODES, isErrorCode, SandpiperError, toSandpiperError } from './errors.ts';
import { isRecord } from './isRecord.ts';
import { t } from './text.ts';

/**
 * A call without a meaning, to which every answer is a sign of life. A relay that does not know it says so, which is one.
 */
export const PING = 'ping';

/** JSON-RPC 2.0 over anything that carries whole text frames. Correlates calls; knows nothing of what they mean. */
export interface RpcTransport {
  send(frame: string): void;
}

export interface RpcHandlers {
  /** Answers a call of the other side. What it throws becomes the error of the reply. */
  onCall(method: string, params: unknown): Promise<unknown>;
  onNotification(method: string, params: unknown): void;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: SandpiperError): void;
  timer: ReturnType<typeof setTimeout>;
}

type Id = string | number;

/** One end of a JSON-RPC connection. Both ends may call. */
export class RpcPeer {
  readonly #transport: RpcTransport;
  readonly #handlers: RpcHandlers;
  readonly #waiting = new Map<Id, Waiting>();
  #nextId = 1;
  #closed: SandpiperError | undefined;

  constructor(transport: RpcTransport, handlers: RpcHandlers) {
    this.#transport = transport;
    this.#handlers = handlers;
  }

  /** Calls that have no answer yet. */
  get openCalls(): number {
    return this.#waiting.size;
  }

  /**
   * Calls the other side.
   * @param timeoutMs after this the call fails with `timeout`; its effect is then unknown, so repeat it with the same key
   */
  call(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#closed) {
      return Promise.reject(this.#closed);
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new SandpiperError('timeout', t('The relay did not answer {0} within {1} s.', method, timeoutMs / 1000), {
            hint: t('Try again.'),
          }),
        );
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#transport.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  notify(method: string, params: unknown): void {
    if (!this.#closed) {
      this.#transport.send(notificationFrame(method, params));
    }
  }

  /** Takes one frame. Never throws: a bad frame is answered with an error, as JSON-RPC says. */
  receive(frame: string): void {
    let message: unknown;
    try {
      message = JSON.parse(frame);
    } catch {
      this.#reply(null, { error: { code: -32700, message: 'The frame is not JSON.' } });
      return;
    }
    if (!isRecord(message) || message['jsonrpc'] !== '2.0') {
      this.#reply(null, {
        error: { code: ERROR_CODES.invalid_request.rpc, message: 'The frame is not a JSON-RPC 2.0 message.' },
      });
      return;
    }
    const id = toId(message['id']);
    const method = message['method'];
    if (typeof method === 'string') {
      if (id === undefined) {
        this.#handlers.onNotification(method, message['params']);
      } else {
        void this.#answer(id, method, message['params']);
      }
    } else if (id !== undefined) {
      this.#settle(id, message);
    } else if (!('error' in message) && !('result' in message)) {
      // A reply without an id is a complaint about a frame of ours. Answered, two peers would complain for ever.
      this.#reply(null, {
        error: { code: ERROR_CODES.invalid_request.rpc, message: 'The message has neither a method nor an id.' },
      });
    }
  }

  /** Fails every open call with `disconnected`. Calls after this fail at once. */
  close(reason: string): void {
    this.#closed ??= new SandpiperError('disconnected', reason, { hint: t('Sandpiper reconnects by itself.') });
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(this.#closed);
    }
    this.#waiting.clear();
  }

  async #answer(id: Id, method: string, params: unknown): Promise<void> {
    try {
      this.#reply(id, { result: (await this.#handlers.onCall(method, params)) ?? {} });
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      this.#reply(id, { error: { code: ERROR_CODES[error.code].rpc, message: error.message, data: error.toWire() } });
    }
  }

  #reply(id: Id | null, body: Record<string, unknown>): void {
    if (!this.#closed) {
      this.#transport.send(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    }
  }

  #settle(id: Id, message: Record<string, unknown>): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      return;
    }
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (isRecord(message['error'])) {
      waiting.reject(errorFromWire(message['error']));
    } else {
      waiting.resolve(message['result']);
    }
  }
}

export function notificationFrame(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

/** The error of a reply; an unknown code keeps its message and is treated as internal. */
export function errorFromWire(error: Record<string, unknown>): SandpiperError {
  const data = isRecord(error['data']) ? error['data'] : {};
  const message =
    typeof error['message'] === 'string' ? error['message'] : 'The relay answered with an error that has no message.';
  return new SandpiperError(isErrorCode(data['code']) ? data['code'] : 'internal', message, {
    hint: typeof data['hint'] === 'string' ? data['hint'] : undefined,
    details: isRecord(data['details']) ? data['details'] : undefined,
  });
}

function toId(value: unknown): Id | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}
