import { once } from 'node:events';
import { WebSocket } from 'ws';
import { isRecord } from '../../protocol/isRecord.ts';
import { WS_SUBPROTOCOL } from '../../protocol/version.ts';
import { WIRE_TOKEN } from './wireServer.ts';

export const INITIALIZE = { protocol: { newest: 1, oldest: 1 }, client: { name: 'test', version: '1' } };

/** A WebSocket that speaks raw frames, to be as rude as a test needs. */
export class WireSocket {
  readonly socket: WebSocket;
  readonly frames: Record<string, unknown>[] = [];
  readonly closed: Promise<number>;
  readonly #waiters = new Set<{ frame(frame: Record<string, unknown>): void; closed(code: number): void }>();
  readonly #calls = new Map<unknown, (reply: Record<string, unknown>) => void>();
  #nextId = 1;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', data => {
      const frame: unknown = JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '');
      const record = isRecord(frame) ? frame : { frame };
      this.frames.push(record);
      this.#calls.get(record['id'])?.(record);
      this.#calls.delete(record['id']);
      this.#waiters.forEach(waiter => waiter.frame(record));
    });
    socket.on('error', () => {});
    this.closed = new Promise(resolve => socket.on('close', resolve));
    void this.closed.then(code => this.#waiters.forEach(waiter => waiter.closed(code)));
  }

  static async open(
    url: string,
    options: { headers?: Record<string, string>; protocols?: string[]; initialize?: boolean } = {},
  ): Promise<WireSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, options.protocols ?? [WS_SUBPROTOCOL], {
      headers: options.headers ?? { authorization: `Bearer ${WIRE_TOKEN}` },
      perMessageDeflate: false,
    });
    const wire = new WireSocket(socket);
    await once(socket, 'open');
    if (options.initialize ?? true) {
      await wire.call('initialize', INITIALIZE);
    }
    return wire;
  }

  /** The whole reply, error or result. */
  async call(method: string, params: unknown = {}): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    const replied = new Promise<Record<string, unknown>>(resolve => this.#calls.set(id, resolve));
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const lost = this.closed.then(code => {
      throw new Error(`The socket was closed with ${code}.`);
    });
    return Promise.race([replied, lost]);
  }

  /** The first frame, past or to come, that matches. */
  next(matches: (frame: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const found = this.frames.find(matches);
    if (found) {
      return Promise.resolve(found);
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        frame: (frame: Record<string, unknown>) => {
          if (matches(frame)) {
            this.#waiters.delete(waiter);
            resolve(frame);
          }
        },
        closed: (code: number) => reject(new Error(`The socket was closed with ${code}.`)),
      };
      this.#waiters.add(waiter);
    });
  }

  error(reply: Record<string, unknown>): Record<string, unknown> {
    const error = isRecord(reply['error']) ? reply['error'] : {};
    return { message: error['message'], ...(isRecord(error['data']) ? error['data'] : {}) };
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The HTTP status with which an upgrade was refused; 101 when it was not. */
export async function upgradeStatus(
  url: string,
  headers: Record<string, string>,
  protocols: string[] = [WS_SUBPROTOCOL],
  path = '/v1/ws',
): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocols, { headers });
  try {
    return await new Promise((resolve, reject) => {
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', reject);
    });
  } finally {
    socket.on('error', () => {});
    socket.terminate();
  }
}
