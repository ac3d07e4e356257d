import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import type { SessionState } from '../../protocol/session.ts';
import { findRelay } from '../../client/localRelay.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE, RelayProcess } from '../../test/support/relayProcess.ts';
import { RELAY_BUNDLE, tapped } from '../support/benchRelay.ts';
import { buildProduct } from '../support/buildProduct.ts';
import { Marks } from '../support/marks.ts';
import type { Peer, RunningPeer } from './peer.ts';
import { until } from './peerProcess.ts';

/** The production relay, its agent in a sandbox, and its own client. */
export const sandpiperPeer: Peer = {
  name: 'Sandpiper',
  version: 'this commit',
  async start(stage, { ask }) {
    await buildProduct();
    const dataFolder = join(stage.folder, 'data');
    const relay = new RelayProcess({
      dataFolder,
      command: [RELAY_BUNDLE],
      env: { ANTHROPIC_BASE_URL: stage.modelUrl, ANTHROPIC_API_KEY: 'sk-ant-bench', SANDPIPER_CLAUDE: CLAUDE },
    });
    stage.defer(() => relay.stop());
    await relay.start();
    const running = new Sandpiper(relay, dataFolder);
    stage.defer(() => running.end());
    await running.open(stage.repository, ask);
    return running;
  },
};

class Sandpiper implements RunningPeer {
  readonly marks = new Marks();
  readonly #relay: RelayProcess;
  readonly #dataFolder: string;
  #client: RelayClient;
  #session = '';
  #state: SessionState | undefined;

  constructor(relay: RelayProcess, dataFolder: string) {
    this.#relay = relay;
    this.#dataFolder = dataFolder;
    this.#client = this.#connect();
  }

  get pids(): number[] {
    return this.#relay.pid === undefined ? [] : [this.#relay.pid];
  }

  async open(source: string, ask: boolean): Promise<void> {
    const permissionMode = ask ? 'ask' : 'autopilot';
    const prompt = 'SCN:deltas:1:0:first';
    const made = await this.#client.call('session.create', { source, prompt, permissionMode });
    this.#session = made.sessionId;
    this.#follow();
    await until('the first turn ends', () => this.#turnsEnded === 1);
  }

  async turn(text: string): Promise<{ startedAt: number; ms: number }> {
    const before = this.#turnsEnded;
    const startedAt = preciseNow();
    await this.begin(text);
    const ended = Promise.withResolvers<number>();
    const following = this.#client.follow(this.#session, ({ state }) => {
      if (state && state.turns.filter(isOver).length > before) {
        ended.resolve(preciseNow());
      }
    });
    const ms = (await ended.promise) - startedAt;
    following.dispose();
    return { startedAt, ms };
  }

  async begin(text: string): Promise<void> {
    await this.#client.call('session.send', { sessionId: this.#session, text });
  }

  async drop(ms: number): Promise<void> {
    this.#client.dispose();
    await sleep(ms);
    this.#client = this.#connect();
    this.#follow();
  }

  async kill(): Promise<void> {
    await this.#relay.stop('SIGKILL');
    await this.#relay.start();
  }

  async asked(): Promise<void> {
    await until('a permission is asked for', () => this.#approval !== undefined);
  }

  async approve(): Promise<void> {
    const approvalId = this.#approval;
    if (approvalId === undefined) {
      throw new Error('Nothing is asked.');
    }
    await this.#client.call('session.answer', { sessionId: this.#session, approvalId, decision: { kind: 'allow' } });
  }

  async end(): Promise<void> {
    try {
      await this.#client.call('session.archive', { sessionId: this.#session, archived: true }, { timeoutMs: 15_000 });
    } finally {
      this.#client.dispose();
    }
  }

  get #turnsEnded(): number {
    return this.#state?.turns.filter(isOver).length ?? 0;
  }

  async workspace(): Promise<string> {
    const sandboxes = join(this.#dataFolder, 'sandboxes');
    const [id = ''] = (await readdir(sandboxes)).filter(name => !name.startsWith('.'));
    return join(sandboxes, id, 'workspace');
  }

  get #approval() {
    return this.#state?.approvals[0]?.id;
  }

  #connect(): RelayClient {
    const client = createRelayClient({
      client: { name: 'bench', version: '0' },
      backoff: { firstMs: 20, maxMs: 200 },
      connect: async () => {
        const found = await findRelay(this.#dataFolder);
        if (!found) {
          throw new Error('There is no relay.');
        }
        return tapped(createWsSocket(found.url, found.token), this.marks);
      },
    });
    client.connect();
    return client;
  }

  #follow(): void {
    this.#client.follow(this.#session, ({ state }) => {
      this.#state = state ?? this.#state;
    });
  }
}

function isOver(turn: SessionState['turns'][number]): boolean {
  return turn.checkpoint !== undefined;
}
