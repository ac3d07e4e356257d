import { calls, initializeSchema, notifications } from '../protocol/calls.ts';
import type { CallName, CallParams, CallResult, InitializeResult, NotificationName } from '../protocol/calls.ts';
import type { NotificationParams } from '../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../protocol/errors.ts';
import { newId } from '../protocol/ids.ts';
import { isRecord, RpcPeer } from '../protocol/rpc.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol/version.ts';
import { closeError, DEFAULT_BACKOFF, reduceConnection } from './connectionState.ts';
import type { Backoff, ConnectionAction, ConnectionState } from './connectionState.ts';
import { FollowedSession } from './followedSession.ts';
import type { FollowListener, Subscriber } from './followedSession.ts';
import type { RelaySocket } from './relaySocket.ts';

const CALL_TIMEOUT_MS = 60_000;
const INITIALIZE_TIMEOUT_MS = 10_000;
/** A relay that hands over is gone soon. */
const HAND_OVER_PAUSE_MS = 100;

export interface Disposable {
  dispose(): void;
}

/** Like the call's parameters, but `key` may be left out: the client makes one (I3). */
export type ClientParams<N extends CallName> =
  CallParams<N> extends { key: string } ? Omit<CallParams<N>, 'key'> & { key?: string } : CallParams<N>;

export interface CallOptions {
  /** Of the whole call, reconnecting included. Default 60 s. */
  timeoutMs?: number;
  /** Send again, with the same key, after a lost connection until there is an answer. Default true. */
  resend?: boolean;
}

export interface RelayClientOptions {
  /** Called for every attempt, so that the address may change. What it throws counts as a failed attempt. */
  connect(): RelaySocket | Promise<RelaySocket>;
  client: { name: string; version: string };
  onState?(state: ConnectionState): void;
  backoff?: Backoff;
  /** Hold everything the relay sends to its schema; for tests. */
  checkMessages?: boolean;
}

export interface RelayClient {
  readonly state: ConnectionState;
  /** Of the connection there is or was last. */
  readonly relay: InitializeResult | undefined;
  /** Connects and stays connected; also tries again at once when waiting or refused. */
  connect(): void;
  disconnect(): void;
  /** Waits for a connection when there is none. @throws the relay's error, `timeout`, or why there is no connection */
  call<N extends CallName>(name: N, params: ClientParams<N>, options?: CallOptions): Promise<CallResult<N>>;
  /** Keeps a mirror of a session right from now on. Several followers of one session share the mirror. */
  follow(sessionId: string, listener: FollowListener): Disposable;
  onNotification<N extends 'session.changed' | 'session.removed'>(
    name: N,
    listener: (params: NotificationParams<N>) => void,
  ): Disposable;
  /** Disconnects for good. Open calls fail with `disconnected`. */
  dispose(): void;
}

/** The one client of the wire. It imports nothing of Node, so that it also runs in a browser. */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  return new Client(options);
}

interface Waiter {
  resolve(peer: RpcPeer): void;
  reject(error: SandpiperError): void;
}

class Client implements RelayClient {
  readonly #options: RelayClientOptions;
  readonly #followed = new Map<string, FollowedSession>();
  readonly #listeners = new Map<string, Set<(params: unknown) => void>>();
  readonly #waiters = new Set<Waiter>();
  readonly #subscriber: Subscriber;
  #state: ConnectionState = { kind: 'disconnected' };
  #relay: InitializeResult | undefined;
  /** Of this very attempt; whatever another socket says is ignored. */
  #link: { socket: RelaySocket; peer: RpcPeer } | undefined;
  #attempts = 0;
  /** Only while connected. */
  #peer: RpcPeer | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#subscriber = {
      subscribe: (sessionId, afterSeq) =>
        this.call('session.subscribe', { sessionId, afterSeq }, { resend: false, timeoutMs: CALL_TIMEOUT_MS }),
      isLost: error => error instanceof SandpiperError && error.code === 'disconnected',
      toError: toSandpiperError,
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get relay(): InitializeResult | undefined {
    return this.#relay;
  }

  connect(): void {
    this.#act({ kind: 'connect' });
  }

  disconnect(): void {
    this.#act({ kind: 'disconnect' });
  }

  dispose(): void {
    for (const session of this.#followed.values()) {
      session.stop();
    }
    this.#followed.clear();
    this.#listeners.clear();
    this.disconnect();
  }

  async call<N extends CallName>(name: N, params: ClientParams<N>, options: CallOptions = {}): Promise<CallResult<N>> {
    const { timeoutMs = CALL_TIMEOUT_MS, resend = true } = options;
    const sent: Record<string, unknown> = calls[name].mutates ? { key: newId('key'), ...params } : { ...params };
    const deadlineMs = Date.now() + timeoutMs;
    for (;;) {
      const peer = await this.#connected(name, deadlineMs);
      try {
        return this.#trust(name, await peer.call(name, sent, Math.max(1, deadlineMs - Date.now())));
      } catch (thrown) {
        const lost = peer !== this.#peer && thrown instanceof SandpiperError && thrown.code === 'disconnected';
        if (!resend || !(lost || isHandingOver(thrown)) || Date.now() >= deadlineMs) {
          throw thrown;
        }
        if (!lost) {
          await new Promise(resolve => setTimeout(resolve, HAND_OVER_PAUSE_MS));
        }
      }
    }
  }

  follow(sessionId: string, listener: FollowListener): Disposable {
    let session = this.#followed.get(sessionId);
    if (!session) {
      session = new FollowedSession(sessionId, this.#subscriber);
      this.#followed.set(sessionId, session);
      if (this.#peer) {
        void session.subscribe();
      }
    }
    const followed = session;
    followed.listeners.add(listener);
    if (followed.mirror.state) {
      listener(followed.mirror, { kind: 'snapshot' });
    }
    return {
      dispose: () => {
        followed.listeners.delete(listener);
        if (followed.listeners.size === 0 && this.#followed.get(sessionId) === followed) {
          followed.stop();
          this.#followed.delete(sessionId);
          void this.#peer?.call('session.unsubscribe', { sessionId }, CALL_TIMEOUT_MS).catch(() => {});
        }
      },
    };
  }

  onNotification<N extends 'session.changed' | 'session.removed'>(
    name: N,
    listener: (params: NotificationParams<N>) => void,
  ): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the relay speaks the same schemas; see checkMessages
    const entry = (params: unknown): void => listener(params as NotificationParams<N>);
    listeners.add(entry);
    return { dispose: () => void listeners.delete(entry) };
  }

  #act(action: ConnectionAction): void {
    const before = this.#state;
    this.#state = reduceConnection(before, action, this.#options.backoff ?? DEFAULT_BACKOFF);
    if (this.#state === before) {
      return;
    }
    clearTimeout(this.#retryTimer);
    switch (this.#state.kind) {
      case 'connecting':
        void this.#open();
        break;
      case 'connected':
        break;
      case 'waiting':
        this.#dropLink();
        this.#retryTimer = setTimeout(
          () => this.#act({ kind: 'retryDue' }),
          Math.max(0, this.#state.untilMs - Date.now()),
        );
        break;
      case 'refused':
        this.#dropLink();
        this.#rejectWaiters(this.#state.error);
        break;
      case 'disconnected': {
        const error = new SandpiperError('disconnected', 'The client was disconnected from the relay.');
        this.#dropLink();
        this.#rejectWaiters(error);
      }
    }
    this.#options.onState?.(this.#state);
  }

  async #open(): Promise<void> {
    const attempt = ++this.#attempts;
    const isCurrent = (): boolean => attempt === this.#attempts && this.#state.kind === 'connecting';
    let socket: RelaySocket;
    try {
      socket = await this.#options.connect();
    } catch (thrown) {
      if (isCurrent()) {
        this.#lost(toSandpiperError(thrown));
      }
      return;
    }
    if (!isCurrent()) {
      socket.onClose = () => {};
      socket.close();
      return;
    }
    this.#wire(socket);
  }

  #wire(socket: RelaySocket): void {
    let failure: SandpiperError | undefined;
    const peer = new RpcPeer(
      { send: frame => socket.send(frame) },
      {
        onCall: name => Promise.reject(new SandpiperError('unknown_call', `This client has no call "${name}".`)),
        onNotification: (name, params) => this.#onNotification(name, params),
      },
    );
    const link = { socket, peer };
    this.#link = link;
    socket.onOpen = () => void this.#initialize(link);
    socket.onMessage = frame => {
      if (this.#link === link) {
        peer.receive(frame);
      }
    };
    // The first is the cause; what follows are its consequences.
    socket.onError = error => (failure ??= error);
    socket.onClose = (code, reason) => {
      if (this.#link === link) {
        this.#lost(failure ?? closeError(code, reason));
      }
    };
  }

  async #initialize(link: { socket: RelaySocket; peer: RpcPeer }): Promise<void> {
    const { peer } = link;
    try {
      const protocol = { newest: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION };
      const params = { protocol, client: this.#options.client };
      const result = initializeSchema.result.safeParse(await peer.call('initialize', params, INITIALIZE_TIMEOUT_MS));
      if (this.#link !== link) {
        return;
      }
      if (!result.success) {
        throw new SandpiperError('version_mismatch', 'What answered is not a Sandpiper relay that this client knows.', {
          hint: 'Check the address of the relay.',
        });
      }
      this.#relay = result.data;
    } catch (thrown) {
      if (this.#link === link) {
        this.#lost(toSandpiperError(thrown));
      }
      return;
    }
    this.#peer = peer;
    this.#act({ kind: 'initialized', nowMs: Date.now() });
    for (const session of this.#followed.values()) {
      void session.subscribe();
    }
    for (const waiter of this.#waiters) {
      waiter.resolve(peer);
    }
    this.#waiters.clear();
  }

  #lost(error: SandpiperError): void {
    this.#act({ kind: 'lost', error, nowMs: Date.now(), random: Math.random() });
  }

  #dropLink(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#peer = undefined;
    link?.socket.close();
    link?.peer.close('The connection to the relay was lost.');
  }

  #connected(name: string, deadlineMs: number): Promise<RpcPeer> {
    if (this.#peer) {
      return Promise.resolve(this.#peer);
    }
    if (this.#state.kind === 'refused') {
      return Promise.reject(this.#state.error);
    }
    if (this.#state.kind === 'disconnected') {
      return Promise.reject(new SandpiperError('disconnected', 'The client is not connected to a relay.'));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#waiters.delete(waiter);
          const why = this.#state.kind === 'waiting' ? ` ${this.#state.error.message}` : '';
          reject(
            new SandpiperError('timeout', `The relay could not be reached for ${name}.${why}`, { hint: 'Try again.' }),
          );
        },
        Math.max(1, deadlineMs - Date.now()),
      );
      const waiter: Waiter = {
        resolve: peer => {
          clearTimeout(timer);
          resolve(peer);
        },
        reject: error => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #rejectWaiters(error: SandpiperError): void {
    for (const waiter of this.#waiters) {
      waiter.reject(error);
    }
    this.#waiters.clear();
  }

  #onNotification(name: string, params: unknown): void {
    if (!Object.hasOwn(notifications, name) || !isRecord(params)) {
      return;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hasOwn has just proved it
    const known = name as NotificationName;
    if (this.#options.checkMessages) {
      notifications[known].parse(params);
    }
    const session = this.#followed.get(String(params['sessionId']));
    switch (known) {
      case 'session.events':
        session?.onEvents(trusted<NotificationParams<'session.events'>>(params).events);
        break;
      case 'session.delta':
        session?.onDelta(trusted(params));
        break;
      case 'session.lagging':
        session?.onLagging();
        break;
      case 'session.changed':
        this.#followed.get(trusted<NotificationParams<'session.changed'>>(params).summary.id)?.onChanged();
        this.#listeners.get(known)?.forEach(listener => listener(params));
        break;
      case 'session.removed':
        session?.onRemoved();
        this.#listeners.get(known)?.forEach(listener => listener(params));
    }
  }

  #trust<N extends CallName>(name: N, result: unknown): CallResult<N> {
    if (this.#options.checkMessages) {
      calls[name].result.parse(result);
    }
    return trusted(result);
  }
}

/** What the relay sends was made from the schemas that this client was compiled with, or from newer ones that only add. */
function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where the relay is taken at its word
  return value as T;
}

/** The relay gives way to another one: that will answer the same call. */
function isHandingOver(thrown: unknown): boolean {
  return thrown instanceof SandpiperError && thrown.code === 'unavailable' && thrown.details?.['handingOver'] === true;
}
