import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { PING, RpcPeer } from '../../protocol/rpc.ts';
import { closeError } from './closeError.ts';
import { DEFAULT_BACKOFF, reduceConnection, UNCONNECTED, wantedSocket } from './connectionState.ts';
import type { Backoff, Connection, ConnectionAction, ConnectionState } from './connectionState.ts';
import type { RelaySocket } from './relaySocket.ts';
import { answerTime, startWatch, WATCH_TIMES, watchDoubt, watchHeard, watchTick } from './silenceWatch.ts';
import type { Moment, SilenceWatch, Verdict, WatchTimes } from './silenceWatch.ts';
import { Waiters } from './waiters.ts';
import { t } from '../../protocol/text.ts';

export interface LinkOptions {
  /** Called for every attempt, so that the address may change. What it throws counts as a failed attempt. */
  connect(): RelaySocket | Promise<RelaySocket>;
  /** The first call on a new socket; it has a limit of its own. @throws why this relay cannot be used */
  initialize(peer: RpcPeer): Promise<void>;
  onNotification(method: string, params: unknown): void;
  onState(state: ConnectionState): void;
  /** Calls can go out. Before those that waited for it do. */
  onConnected(): void;
  backoff?: Backoff | undefined;
  watch?: WatchTimes | undefined;
  clock?: LinkClock | undefined;
}

export interface LinkClock {
  now(): Moment;
}

/** `performance` does not follow a clock that somebody sets; on Linux it stands still while the computer sleeps. */
const SYSTEM_CLOCK: LinkClock = { now: () => ({ steadyMs: performance.now(), wallMs: Date.now() }) };

interface Link {
  id: number;
  socket: RelaySocket;
  peer: RpcPeer;
  bytes: number;
}

/**
 * Keeps one connection to the relay: opens a socket, notices when it is dead, and tries again. What to do is decided by
 * `connectionState.ts` and `silenceWatch.ts`; here are the sockets and the clocks. Runs in Node and in a browser.
 */
export class RelayLink {
  readonly #options: LinkOptions;
  readonly #clock: LinkClock;
  readonly #times: WatchTimes;
  readonly #waiters = new Waiters();
  #connection: Connection = UNCONNECTED;
  /** The socket of this very attempt; whatever another one says is ignored. */
  #link: Link | undefined;
  /** Only while connected. */
  #watch: SilenceWatch | undefined;
  #answerMs: number;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#times = options.watch ?? WATCH_TIMES;
    this.#answerMs = this.#times.answerMs;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls go out on it; undefined while there is no connection. */
  get peer(): RpcPeer | undefined {
    return this.state.kind === 'connected' ? this.#link?.peer : undefined;
  }

  /** How long until the next attempt, when one is waited for. */
  get retryInMs(): number | undefined {
    const { state } = this;
    return state.kind === 'waiting' ? Math.max(0, state.untilMs - this.#clock.now().steadyMs) : undefined;
  }

  /** Connects and stays connected; tries again at once when waiting or refused, and does nothing otherwise. */
  connect(): void {
    this.#act({ kind: 'connect', nowMs: this.#clock.now().steadyMs });
  }

  disconnect(): void {
    this.#act({ kind: 'disconnect' });
  }

  /** The network or the page came back: finds out at once whether the connection still holds, or tries again. */
  nudge(): void {
    if (this.state.kind === 'waiting') {
      this.connect();
    } else {
      const now = this.#clock.now();
      const watch = this.#heardWatch(now);
      if (watch) {
        this.#follow(watchDoubt(watch, now, this.#times));
      }
    }
  }

  /**
   * @param what the person wanted, for the error
   * @throws `timeout` when there was no connection in time, or why there will be none
   */
  async whenConnected(what: string, timeoutMs: number): Promise<RpcPeer> {
    const { peer, state } = this;
    if (peer) {
      return peer;
    }
    if (state.kind === 'refused') {
      throw state.error;
    }
    if (state.kind === 'disconnected') {
      throw new SandpiperError('disconnected', t('The client is not connected to a relay.'));
    }
    return this.#waiters.wait(timeoutMs, () => {
      const why = this.state.kind === 'waiting' ? ` ${this.state.error.message}` : '';
      return new SandpiperError('timeout', `${t('The relay could not be reached for {0}.', what)}${why}`, {
        hint: t('Try again.'),
      });
    });
  }

  #act(action: ConnectionAction): void {
    const before = this.#connection;
    this.#connection = reduceConnection(before, action, this.#options.backoff ?? DEFAULT_BACKOFF);
    if (this.#connection === before) {
      return;
    }
    const wanted = wantedSocket(this.#connection);
    if (wanted !== wantedSocket(before)) {
      this.#dropLink();
      if (wanted !== undefined) {
        void this.#open(wanted);
      }
    }
    this.#setTimers();
    const { state } = this.#connection;
    if (state.kind === 'refused') {
      this.#waiters.reject(state.error);
    } else if (state.kind === 'disconnected') {
      this.#waiters.reject(new SandpiperError('disconnected', t('The client was disconnected from the relay.')));
    }
    this.#options.onState(state);
  }

  #setTimers(): void {
    const { state } = this;
    clearTimeout(this.#due);
    if (state.kind === 'waiting') {
      // A timer may fire a little early by the other clock.
      const again = (): void => {
        this.#tick();
        if (this.state === state) {
          this.#due = setTimeout(again, 1);
        }
      };
      this.#due = setTimeout(again, this.retryInMs);
    }
    if (state.kind === 'disconnected' || state.kind === 'refused') {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    } else {
      this.#ticker ??= setInterval(() => this.#tick(), this.#times.tickMs);
    }
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#act({ kind: 'tick', nowMs: now.steadyMs, random: Math.random() });
    const watch = this.#heardWatch(now);
    if (watch && this.#link) {
      this.#follow(watchTick(watch, now, this.#link.peer.openCalls > 0, this.#times));
    }
  }

  /** The watch, which has heard what came that is no whole frame yet. */
  #heardWatch({ steadyMs }: Moment): SilenceWatch | undefined {
    const link = this.#link;
    const bytes = link?.socket.bytesReceived?.() ?? 0;
    if (this.#watch && link && bytes > link.bytes) {
      link.bytes = bytes;
      this.#watch = watchHeard(this.#watch, steadyMs, this.#times);
    }
    return this.#watch;
  }

  #follow({ watch, verdict }: { watch: SilenceWatch; verdict: Verdict }): void {
    this.#watch = watch;
    if (verdict === 'probe') {
      // Whatever comes is a sign of life, also that this relay knows no such call.
      void this.#link?.peer.call(PING, {}, this.#times.longestAnswerMs).catch(() => {});
    } else if (verdict === 'dead' && this.#link) {
      this.#answerMs = answerTime(watch, this.#times);
      const silentMs = this.#clock.now().steadyMs - watch.heardAtMs;
      this.#lost(
        this.#link.id,
        new SandpiperError('disconnected', t('The relay has not answered for {0} s.', Math.round(silentMs / 1000)), {
          hint: t('Sandpiper reconnects by itself.'),
        }),
      );
    }
  }

  async #open(id: number): Promise<void> {
    let socket: RelaySocket;
    try {
      socket = await this.#options.connect();
    } catch (thrown) {
      this.#lost(id, toSandpiperError(thrown));
      return;
    }
    if (wantedSocket(this.#connection) !== id) {
      socket.onClose = () => {};
      socket.close();
      return;
    }
    this.#wire(id, socket);
    this.#act({ kind: 'found', socket: id, nowMs: this.#clock.now().steadyMs });
  }

  #wire(id: number, socket: RelaySocket): void {
    let failure: SandpiperError | undefined;
    const peer = new RpcPeer(
      { send: frame => socket.send(frame) },
      {
        onCall: name => Promise.reject(new SandpiperError('unknown_call', t('This client has no call "{0}".', name))),
        onNotification: (name, params) => this.#options.onNotification(name, params),
      },
    );
    const link: Link = { id, socket, peer, bytes: 0 };
    this.#link = link;
    socket.onOpen = () => void this.#initialize(link);
    socket.onMessage = frame => {
      if (this.#link === link) {
        this.#watch &&= watchHeard(this.#watch, this.#clock.now().steadyMs, this.#times);
        peer.receive(frame);
      }
    };
    // The first is the cause; what follows are its consequences.
    socket.onError = error => (failure ??= error);
    socket.onClose = (code, reason) => this.#lost(id, failure ?? closeError(code, reason));
  }

  async #initialize(link: Link): Promise<void> {
    try {
      await this.#options.initialize(link.peer);
    } catch (thrown) {
      this.#lost(link.id, toSandpiperError(thrown));
      return;
    }
    if (this.#link !== link) {
      return;
    }
    const now = this.#clock.now();
    this.#watch = startWatch(now, this.#answerMs);
    this.#act({ kind: 'initialized', socket: link.id, nowMs: now.steadyMs });
    if (this.#link === link) {
      this.#options.onConnected();
      this.#waiters.resolve(link.peer);
    }
  }

  #lost(id: number, error: SandpiperError): void {
    const nowMs = this.#clock.now().steadyMs;
    this.#act({ kind: 'lost', socket: id, error, nowMs, random: Math.random() });
  }

  #dropLink(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#watch = undefined;
    link?.socket.close();
    link?.peer.close(t('The connection to the relay was lost.'));
  }
}
