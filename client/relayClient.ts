import { calls, initializeSchema, notifications } from '../protocol/calls.ts';
import type { CallName, CallParams, CallResult, InitializeResult, NotificationName } from '../protocol/calls.ts';
import type { NotificationParams } from '../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../protocol/errors.ts';
import { newId } from '../protocol/ids.ts';
import { isRecord } from '../protocol/isRecord.ts';
import type { RpcPeer } from '../protocol/rpc.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol/version.ts';
import { FollowedSession } from './followedSession.ts';
import type { FollowListener, Subscriber } from './followedSession.ts';
import { notReached } from './link/notReached.ts';
import { RelayLink } from './link/relayLink.ts';
import type { LinkOptions } from './link/relayLink.ts';
import type { ConnectionState } from './link/connectionState.ts';
import { t } from '../protocol/text.ts';

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
  /**
   * How long a call that changes something waits for a connection; then it fails with `unavailable`, and nothing has left.
   * Default: as long as the whole call may take.
   */
  changeWithinMs?: number;
  /** Send again, with the same key, after a lost connection until there is an answer. Default true. */
  resend?: boolean;
}

export interface RelayClientOptions extends Pick<LinkOptions, 'connect' | 'backoff' | 'watch' | 'clock'> {
  client: { name: string; version: string };
  onState?(state: ConnectionState): void;
  /** Hold everything the relay sends to its schema; for tests. */
  checkMessages?: boolean;
}

export interface RelayClient {
  readonly state: ConnectionState;
  /** How long until the next attempt, when one is waited for. */
  readonly retryInMs: number | undefined;
  /** Of the connection there is or was last. */
  readonly relay: InitializeResult | undefined;
  /** Connects and stays connected; also tries again at once when waiting or refused. */
  connect(): void;
  disconnect(): void;
  /** There is reason to doubt the connection, or hope for one: finds out now instead of later. */
  nudge(): void;
  /** Waits for a connection when there is none. @throws the relay's error, `timeout`, or why there is no connection */
  call<N extends CallName>(name: N, params: ClientParams<N>, options?: CallOptions): Promise<CallResult<N>>;
  /** Keeps a mirror of a session right from now on. Several followers of one session share the mirror. */
  follow(sessionId: string, listener: FollowListener): Disposable;
  onNotification<N extends 'session.changed' | 'session.removed' | 'spec.changed'>(
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

class Client implements RelayClient {
  readonly #options: RelayClientOptions;
  readonly #followed = new Map<string, FollowedSession>();
  readonly #listeners = new Map<string, Set<(params: unknown) => void>>();
  readonly #subscriber: Subscriber;
  readonly #link: RelayLink;
  #relay: InitializeResult | undefined;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#link = new RelayLink({
      connect: () => options.connect(),
      backoff: options.backoff,
      watch: options.watch,
      clock: options.clock,
      initialize: peer => this.#initialize(peer),
      onNotification: (name, params) => this.#onNotification(name, params),
      onState: state => options.onState?.(state),
      onConnected: () => this.#followed.forEach(session => void session.subscribe()),
    });
    this.#subscriber = {
      subscribe: (sessionId, afterSeq) =>
        this.call('session.subscribe', { sessionId, afterSeq }, { resend: false, timeoutMs: CALL_TIMEOUT_MS }),
      isLost: error => error instanceof SandpiperError && error.code === 'disconnected',
      toError: toSandpiperError,
    };
  }

  get state(): ConnectionState {
    return this.#link.state;
  }

  get retryInMs(): number | undefined {
    return this.#link.retryInMs;
  }

  get relay(): InitializeResult | undefined {
    return this.#relay;
  }

  connect(): void {
    this.#link.connect();
  }

  disconnect(): void {
    this.#link.disconnect();
  }

  nudge(): void {
    this.#link.nudge();
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
    // Not by the clock of the wall: a laptop that slept an hour has not waited that long.
    const deadlineMs = performance.now() + timeoutMs;
    const leftMs = (): number => Math.max(1, deadlineMs - performance.now());
    if (calls[name].mutates && options.changeWithinMs !== undefined) {
      await this.#link.whenConnected(name, options.changeWithinMs).catch((thrown: unknown) => {
        throw notReached(thrown);
      });
    }
    for (;;) {
      const peer = await this.#link.whenConnected(name, leftMs());
      try {
        return this.#trust(name, await peer.call(name, sent, leftMs()));
      } catch (thrown) {
        const lost = peer !== this.#link.peer && thrown instanceof SandpiperError && thrown.code === 'disconnected';
        if (!resend || !(lost || isHandingOver(thrown)) || performance.now() >= deadlineMs) {
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
      if (this.#link.peer) {
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
          void this.#link.peer?.call('session.unsubscribe', { sessionId }, CALL_TIMEOUT_MS).catch(() => {});
        }
      },
    };
  }

  onNotification<N extends 'session.changed' | 'session.removed' | 'spec.changed'>(
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

  async #initialize(peer: RpcPeer): Promise<void> {
    const protocol = { newest: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION };
    const params = { protocol, client: this.#options.client };
    const result = initializeSchema.result.safeParse(await peer.call('initialize', params, INITIALIZE_TIMEOUT_MS));
    if (!result.success) {
      throw new SandpiperError(
        'version_mismatch',
        t('What answered is not a Sandpiper relay that this client knows.'),
        {
          hint: t('Check the address of the relay.'),
        },
      );
    }
    this.#relay = result.data;
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
        break;
      case 'spec.changed':
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
