import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { initializeSchema, isCallName } from '../../../protocol/calls.ts';
import type { InitializeResult } from '../../../protocol/calls.ts';
import { CLOSE_CODES } from '../../../protocol/closeCodes.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { PING, RpcPeer } from '../../../protocol/rpc.ts';
import { negotiateVersion, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../../../protocol/version.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Disposable } from '../core/disposable.ts';
import { callHandler, checkParams, invalidParams } from '../core/dispatch.ts';
import type { RelayHandlers } from '../core/dispatch.ts';
import type { Logger } from '../core/log.ts';
import { BoundedSink } from '../feed/boundedSink.ts';
import type { SessionFeeds } from '../feed/sessionFeed.ts';
import { GatheredWrites } from './gatheredWrites.ts';
import type { WsLimits } from './limits.ts';
import { Subscriptions } from './subscriptions.ts';
import type { SummaryFeed, SummaryListener } from './summaryFeed.ts';
import { TokenBucket } from './tokenBucket.ts';

/** How long a closing handshake may take before the socket is cut. */
const CLOSE_GRACE_MS = 1_000;

export interface WsConnectionOptions {
  /** Unique while the relay runs. */
  id: string;
  /** What `socket` writes to. */
  network: Duplex;
  handlers: RelayHandlers;
  feeds: SessionFeeds;
  summaries: SummaryFeed;
  log: Logger;
  relay: InitializeResult['relay'];
  limits: WsLimits;
  checkResults: boolean;
}

/** One client on one socket: reads its calls no faster than they are answered, writes no more than it takes. */
export class WsConnection implements SummaryListener {
  readonly #socket: WebSocket;
  readonly #options: WsConnectionOptions;
  readonly #peer: RpcPeer;
  readonly #sink: BoundedSink;
  readonly #subscriptions: Subscriptions;
  readonly #bucket: TokenBucket;
  readonly #initializeTimer: NodeJS.Timeout;
  /** Frames that were read but must wait; bounded by what one read of the network holds, because reading is paused. */
  readonly #inbox: string[] = [];
  /** Rows that changed while the client was full. */
  readonly #missedSummaries = new Map<string, Buffer>();
  #client: CallContext['client'] | undefined;
  #listening: Disposable | undefined;
  #callsInFlight = 0;
  #refillTimer: NodeJS.Timeout | undefined;
  #heard = true;
  #closed = false;

  constructor(socket: WebSocket, options: WsConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { limits } = options;
    this.#bucket = new TokenBucket(limits.callBurst, limits.callsPerSecond, performance.now());
    const gathered = new GatheredWrites(options.network);
    this.#sink = new BoundedSink(limits, {
      write: (bytes, done) => {
        gathered.begin();
        socket.send(bytes, { binary: false }, () => done());
      },
      onFull: () => this.#readInbox(),
      onDrained: () => this.#onDrained(),
      onStalled: () => this.#onStalled(),
    });
    this.#subscriptions = new Subscriptions(options.feeds, this.#sink, limits);
    this.#peer = new RpcPeer(
      { send: frame => this.#sink.send(Buffer.from(frame)) },
      { onCall: (method, params) => this.#onCall(method, params), onNotification: () => {} },
    );
    this.#initializeTimer = setTimeout(() => this.close(CLOSE_CODES.notInitialized), limits.initializeTimeoutMs);
    socket.on('message', (data, binary) => this.#onMessage(data, binary));
    socket.on('pong', () => (this.#heard = true));
    // Without a listener an oversize or malformed frame would end the process.
    socket.on('error', error => this.#log('debug', 'The socket failed', { error: error.message }));
    socket.on('close', () => this.#onClose());
  }

  /** Asks for a sign of life, and cuts the socket when the last question was not answered. */
  beat(): void {
    const waits = this.#socket.isPaused || this.#sink.full;
    if (!this.#heard && !waits) {
      this.#log('info', 'The client went silent');
      this.#socket.terminate();
      return;
    }
    this.#heard = waits;
    if (!this.#sink.full) {
      this.#socket.ping(undefined, undefined, () => {});
    }
  }

  close({ code, meaning }: { code: number; meaning: string }): void {
    if (this.#closed) {
      return;
    }
    this.#socket.close(code, meaning.slice(0, 120));
    setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  onSummary(id: string, frame: Buffer): void {
    if (this.#sink.full) {
      this.#missedSummaries.set(id, frame);
    } else {
      this.#sink.send(frame);
    }
  }

  /** To a client that is full it goes later, in the place of the row. */
  onRemoved(sessionId: string, frame: Buffer): void {
    this.#subscriptions.unsubscribe(sessionId);
    this.onSummary(sessionId, frame);
  }

  #onMessage(data: RawData, binary: boolean): void {
    this.#heard = true;
    if (binary || !Buffer.isBuffer(data)) {
      this.close(CLOSE_CODES.unsupported);
      return;
    }
    this.#inbox.push(data.toString('utf8'));
    this.#readInbox();
  }

  /** Answers what may be answered now and pauses the network while something must wait. */
  #readInbox(): void {
    while (this.#inbox.length > 0 && !this.#mustWait()) {
      this.#peer.receive(this.#inbox.shift() ?? '');
    }
    if (this.#closed || this.#socket.readyState !== this.#socket.OPEN) {
      return;
    }
    if (this.#inbox.length > 0 || this.#sink.full) {
      this.#socket.pause();
    } else if (this.#socket.isPaused) {
      this.#heard = true;
      this.#socket.resume();
    }
  }

  #mustWait(): boolean {
    if (this.#sink.full || this.#callsInFlight >= this.#options.limits.maxCallsInFlight || this.#refillTimer) {
      return true;
    }
    const waitMs = this.#bucket.take(performance.now());
    if (waitMs > 0) {
      this.#refillTimer = setTimeout(() => {
        this.#refillTimer = undefined;
        this.#readInbox();
      }, waitMs);
    }
    return waitMs > 0;
  }

  async #onCall(method: string, params: unknown): Promise<unknown> {
    this.#callsInFlight++;
    try {
      return await this.#answer(method, params);
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      this.#log(error.code === 'internal' ? 'error' : 'debug', 'A call failed', {
        method,
        code: error.code,
        error: error.message,
        ...(error.cause instanceof Error ? { stack: error.cause.stack } : {}),
      });
      throw error;
    } finally {
      this.#callsInFlight--;
      setImmediate(() => this.#readInbox());
    }
  }

  async #answer(method: string, params: unknown): Promise<unknown> {
    if (method === 'initialize') {
      return this.#initialize(params);
    }
    const client = this.#client;
    if (!client) {
      throw new SandpiperError(
        'not_initialized',
        `The first call on a socket is "initialize", not "${shown(method)}".`,
        {
          hint: 'Call "initialize" with the protocol versions that you speak.',
        },
      );
    }
    if (method === PING) {
      return {};
    }
    if (!isCallName(method)) {
      throw new SandpiperError('unknown_call', `This relay has no call "${shown(method)}".`, {
        hint: 'Update the relay, or see docs/protocol.md for its calls.',
      });
    }
    if (method === 'session.subscribe') {
      return this.#subscriptions.subscribe(checkParams(method, params));
    }
    if (method === 'session.unsubscribe') {
      this.#subscriptions.unsubscribe(checkParams(method, params).sessionId);
      return {};
    }
    const context: CallContext = { client, connection: this.#options.id, principal: 'owner' };
    return callHandler(this.#options.handlers, method, params, context, this.#options.checkResults);
  }

  #initialize(raw: unknown): InitializeResult {
    const params = initializeSchema.params.safeParse(raw);
    if (!params.success) {
      throw invalidParams('initialize', params.error.issues);
    }
    if (this.#client) {
      throw new SandpiperError('invalid_request', 'This socket is initialized already.');
    }
    const { protocol, client } = params.data;
    const { relay, limits } = this.#options;
    const protocolVersion = negotiateVersion(protocol);
    if (protocolVersion === undefined) {
      const older = protocol.newest < OLDEST_PROTOCOL_VERSION ? client.name : 'the relay';
      setImmediate(() => this.close(CLOSE_CODES.versionMismatch));
      throw new SandpiperError(
        'version_mismatch',
        `The relay (${relay.version}) speaks protocol ${versions(OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION)}, ` +
          `${client.name} (${client.version}) speaks ${versions(protocol.oldest, protocol.newest)}.`,
        {
          hint: `Update ${older}.`,
          details: { relay: { oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION }, client: protocol },
        },
      );
    }
    clearTimeout(this.#initializeTimer);
    this.#client = client;
    this.#listening = this.#options.summaries.add(this);
    this.#log('debug', 'A client connected', { client: client.name, version: client.version });
    return { protocolVersion, relay, limits: { maxFrameBytes: limits.maxFrameBytes } };
  }

  #onDrained(): void {
    for (const [sessionId, frame] of this.#missedSummaries) {
      if (this.#sink.full) {
        break;
      }
      this.#missedSummaries.delete(sessionId);
      this.#sink.send(frame);
    }
    this.#readInbox();
  }

  #onStalled(): void {
    this.#log('warn', 'The client takes nothing; its connection is closed');
    this.#subscriptions.announceLagging();
    this.close(CLOSE_CODES.lagging);
  }

  #onClose(): void {
    this.#closed = true;
    clearTimeout(this.#initializeTimer);
    clearTimeout(this.#refillTimer);
    this.#inbox.length = 0;
    this.#missedSummaries.clear();
    this.#listening?.dispose();
    this.#subscriptions.close();
    this.#sink.close();
    this.#peer.close('The client disconnected.');
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown> = {}): void {
    this.#options.log.log(level, 'ws', message, { connection: this.#options.id, ...fields });
  }
}

function versions(oldest: number, newest: number): string {
  return oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
}

function shown(method: string): string {
  return method.slice(0, 60);
}
