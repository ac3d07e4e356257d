import type { CallName, CallParams, CallResult } from '../../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { newId } from '../../../protocol/ids.ts';
import { isRecord, RpcPeer } from '../../../protocol/rpc.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, WS_SUBPROTOCOL } from '../../../protocol/version.ts';
import type { ConnectionState } from '../../../protocol/webviewApi.ts';
import { isTokenValid, REOPEN } from './access.ts';

const CALL_TIMEOUT_MS = 30_000;
/** Preparing a branch and talking to a forge takes its time. */
const SLOW_CALL_TIMEOUT_MS = 180_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export interface ConnectionHandlers {
  onState(state: ConnectionState, detail?: string): void;
  /** After each connecting, before anything that waited for it is sent. */
  onConnected(): void;
  onNotification(method: string, params: unknown): void;
}

type Unkeyed<N extends CallName> = Omit<CallParams<N>, 'key'>;

/** The page's socket to its relay. It connects again by itself, and repeats under the same key what may have been lost. */
export class RelayConnection {
  readonly #token: string;
  readonly #handlers: ConnectionHandlers;
  #peer: RpcPeer | undefined;
  #waiting: (() => void)[] = [];
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(token: string, handlers: ConnectionHandlers) {
    this.#token = token;
    this.#handlers = handlers;
    window.addEventListener('online', () => this.#retryNow());
  }

  connect(): void {
    this.#handlers.onState(this.#failures === 0 ? 'connecting' : 'offline');
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/v1/ws`, [WS_SUBPROTOCOL, `bearer.${this.#token}`]);
    const peer = new RpcPeer(
      { send: frame => socket.send(frame) },
      {
        onCall: () => Promise.resolve({}),
        onNotification: (method, params) => this.#handlers.onNotification(method, params),
      },
    );
    socket.addEventListener('message', event => peer.receive(String(event.data)));
    socket.addEventListener('open', () => void this.#initialize(peer, socket));
    socket.addEventListener('close', () => void this.#onClosed(peer));
  }

  /** Waits for a connection, then calls. @throws {SandpiperError} */
  async call<N extends CallName>(name: N, params: CallParams<N>): Promise<CallResult<N>> {
    const peer = await this.#connected();
    const timeoutMs = name === 'pullRequest.open' ? SLOW_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS;
    const result = await peer.call(name, params, timeoutMs);
    if (!isRecord(result)) {
      throw new SandpiperError('internal', `The relay answered ${name} with something that is no object.`);
    }
    // The relay serves this page: both are of one build, and what it sends was made to the call's schema there. Checking
    // it again would put the schemas' library into the page, which is larger than all of the page.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return result as CallResult<N>;
  }

  /** A call that changes something: repeated with the same key until the relay has answered it (I3). */
  async mutate<N extends CallName>(name: N, params: Unkeyed<N>): Promise<CallResult<N>> {
    // The key is what was left out; generic types cannot be added up again.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const keyed = { ...params, key: newId('key') } as unknown as CallParams<N>;
    for (;;) {
      try {
        return await this.call(name, keyed);
      } catch (thrown) {
        const { code } = toSandpiperError(thrown);
        if (code !== 'disconnected' && code !== 'timeout') {
          throw thrown;
        }
      }
    }
  }

  async #initialize(peer: RpcPeer, socket: WebSocket): Promise<void> {
    try {
      await peer.call(
        'initialize',
        {
          protocol: { newest: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION },
          client: { name: 'sandpiper-browser', version: '1' },
        },
        CALL_TIMEOUT_MS,
      );
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (error.code === 'version_mismatch') {
        this.#failures = Infinity;
        this.#handlers.onState('refused', `${error.message} Load the page anew.`);
      }
      socket.close();
      return;
    }
    this.#failures = 0;
    this.#peer = peer;
    this.#handlers.onState('connected');
    this.#handlers.onConnected();
    for (const resume of this.#waiting.splice(0)) {
      resume();
    }
  }

  async #onClosed(peer: RpcPeer): Promise<void> {
    peer.close('The connection to the relay was lost.');
    const wasConnected = this.#peer === peer;
    this.#peer = undefined;
    if (this.#failures === Infinity) {
      return;
    }
    this.#failures++;
    this.#handlers.onState('offline');
    if (!wasConnected && (await isTokenValid(this.#token)) === false) {
      this.#failures = Infinity;
      this.#handlers.onState('refused', `The access of this page has ended. ${REOPEN}`);
      return;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    // Spread, so that the pages of a restarted relay do not all come at once.
    this.#timer = setTimeout(() => this.#retryNow(), pauseMs * (0.5 + Math.random() / 2));
  }

  #retryNow(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.connect();
    }
  }

  async #connected(): Promise<RpcPeer> {
    for (;;) {
      if (this.#peer) {
        return this.#peer;
      }
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve);
      });
    }
  }
}
