import { join } from 'node:path';
import { createRelayClient, type ClientParams, type RelayClient } from '../../client/relayClient.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { findRelay, RELAY_NODE_OPTIONS } from '../../client/localRelay.ts';
import type { CallName, CallResult } from '../../protocol/calls.ts';
import type { SessionState } from '../../protocol/session.ts';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE, RelayProcess } from '../../test/support/relayProcess.ts';
import type { Bench } from '../figure.ts';
import { buildProduct, distFolder } from './buildProduct.ts';
import { Marks } from './marks.ts';

/** What users run. */
export const RELAY_BUNDLE = join(distFolder, 'server/sandpiper.mjs');
const TURN_TIMEOUT_MS = 120_000;

export interface BenchRelayOptions {
  modelUrl: string;
  /** Options of Node for the relay's process. */
  nodeOptions?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** The production relay in a process of its own, and a client that notes when text came. */
export class BenchRelay {
  readonly marks = new Marks();
  readonly #process: RelayProcess;
  readonly #client: RelayClient;

  private constructor(relay: RelayProcess, dataFolder: string) {
    this.#process = relay;
    this.#client = createRelayClient({
      client: { name: 'bench', version: '0' },
      connect: async () => {
        const found = await findRelay(dataFolder);
        if (!found) {
          throw new Error('The relay has gone.');
        }
        return tapped(createWsSocket(found.url, found.token), this.marks);
      },
    });
    this.#client.connect();
  }

  /** Starts one in `<bench.folder>/<name>`; it ends with the measurement, and so do its agents. */
  static async start(bench: Bench, name: string, options: BenchRelayOptions): Promise<BenchRelay> {
    await buildProduct();
    const dataFolder = join(bench.folder, name);
    const relay = new RelayProcess({
      dataFolder,
      command: [...RELAY_NODE_OPTIONS, ...(options.nodeOptions ?? []), RELAY_BUNDLE],
      env: {
        ANTHROPIC_BASE_URL: options.modelUrl,
        ANTHROPIC_API_KEY: 'sk-ant-bench',
        SANDPIPER_CLAUDE: CLAUDE,
        ...options.env,
      },
    });
    bench.defer(() => relay.stop());
    await relay.start();
    const started = new BenchRelay(relay, dataFolder);
    bench.defer(() => started.#endAgents());
    return started;
  }

  /** Ends the relay now. Only for one without sessions: agents outlive a relay. */
  async stop(): Promise<void> {
    this.#client.dispose();
    await this.#process.stop();
  }

  get url(): string {
    return this.#process.url;
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) {
      throw new Error('The relay does not run.');
    }
    return pid;
  }

  call<N extends CallName>(name: N, params: ClientParams<N>): Promise<CallResult<N>> {
    return this.#client.call(name, params, { timeoutMs: TURN_TIMEOUT_MS });
  }

  async create(params: Pick<ClientParams<'session.create'>, 'source' | 'prompt' | 'provider'>): Promise<string> {
    const { sessionId } = await this.#client.call('session.create', { ...params, permissionMode: 'autopilot' });
    return sessionId;
  }

  /** A session that has done one small turn and waits for the next. */
  async createWarm(source: string, provider = 'local'): Promise<string> {
    const sessionId = await this.create({ source, prompt: 'SCN:deltas:1:0:first', provider });
    await this.until(sessionId, state => state.phase.kind === 'idle' && state.turns[0]?.checkpoint !== undefined);
    return sessionId;
  }

  /** Sends a prompt to an idle session and waits until its turn is finished, its checkpoint included. */
  async turn(sessionId: string, text: string): Promise<{ startedAt: number; ms: number }> {
    const { seq, turns } = await this.#client.call('session.get', { sessionId });
    const caughtUp = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<number>();
    const following = this.#client.follow(sessionId, ({ state }, change) => {
      if (state && state.seq >= seq) {
        caughtUp.resolve();
      }
      for (const { body } of change.kind === 'events' ? change.events : []) {
        if (body.type === 'turnFinished' && body.turn === turns.length + 1) {
          finished.resolve(preciseNow());
        } else if (body.type === 'sessionBlocked') {
          finished.reject(new Error(body.failure.message));
        }
      }
    });
    try {
      await caughtUp.promise;
      const startedAt = preciseNow();
      const [finishedAt] = await Promise.all([
        finished.promise,
        this.#client.call('session.send', { sessionId, text }),
      ]);
      return { startedAt, ms: finishedAt - startedAt };
    } finally {
      following.dispose();
    }
  }

  /** Resolves with the moment at which the client knew of the first state that fits. */
  async until(sessionId: string, fits: (state: SessionState) => boolean): Promise<number> {
    const found = Promise.withResolvers<number>();
    const timer = setTimeout(
      () => found.reject(new Error(`Session ${sessionId} hangs.\n${this.#process.log}`)),
      TURN_TIMEOUT_MS,
    );
    const following = this.#client.follow(sessionId, ({ state }) => {
      if (state?.phase.kind === 'blocked') {
        found.reject(new Error(state.phase.failure.message));
      } else if (state && fits(state)) {
        found.resolve(preciseNow());
      }
    });
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      following.dispose();
    }
  }

  /** Ends a session's agent. */
  async archive(sessionId: string): Promise<void> {
    await this.#client.call('session.archive', { sessionId, archived: true });
  }

  async #endAgents(): Promise<void> {
    if (this.#process.pid === undefined) {
      return;
    }
    try {
      const { sessions } = await this.#client.call(
        'session.list',
        { archived: false, limit: 500 },
        { timeoutMs: 5000 },
      );
      await Promise.all(sessions.map(({ id }) => this.archive(id)));
    } finally {
      this.#client.dispose();
    }
  }
}

/** The same socket; every frame is looked at when it comes, before anything is done with it. */
export function tapped(inner: RelaySocket, marks: Marks): RelaySocket {
  const outer: RelaySocket = {
    send: frame => inner.send(frame),
    close: () => inner.close(),
    bytesReceived: () => inner.bytesReceived?.() ?? 0,
    onOpen: () => {},
    onMessage: () => {},
    onError: () => {},
    onClose: () => {},
  };
  inner.onOpen = () => outer.onOpen();
  inner.onMessage = frame => {
    marks.look(frame, preciseNow());
    outer.onMessage(frame);
  };
  inner.onError = error => outer.onError(error);
  inner.onClose = (code, reason) => outer.onClose(code, reason);
  return outer;
}
