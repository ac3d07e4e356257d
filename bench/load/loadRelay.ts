import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRelay, RELAY_NODE_OPTIONS } from '../../client/localRelay.ts';
import { RelayProcess } from '../../test/support/relayProcess.ts';
import type { Bench } from '../figure.ts';
import { RELAY_BUNDLE } from '../support/benchRelay.ts';
import { buildProduct } from '../support/buildProduct.ts';
import { startAgents, type Agents } from './agentsProcess.ts';
import { startFollowers, type Followers } from './followersProcess.ts';
import { addSessions, type LiveSession } from './liveSessions.ts';

/** What the relay's process says of itself since it was last asked; see relayMeter.mjs. */
export interface RelayMeter {
  ms: number;
  /** Processors that it kept busy, its threads included. */
  cores: number;
  stallP99Ms: number;
  stallP999Ms: number;
  rssKb: number;
  /** Of objects and buffers, without garbage. Resident memory says less: the allocators keep what a burst once took. */
  heldKb: number;
}

const METER_TIMEOUT_MS = 20_000;
const ADDRESS_POLL_MS = 5;

/** The real relay on sessions whose agents are played by one process; clients in another. */
export class LoadRelay {
  readonly agents: Agents;
  readonly followers: Followers;
  readonly sessions: LiveSession[] = [];
  readonly dataFolder: string;
  readonly #relay: RelayProcess;
  readonly #meterFile: string;

  private constructor(dataFolder: string, agents: Agents, followers: Followers, metered: boolean) {
    this.dataFolder = dataFolder;
    this.agents = agents;
    this.followers = followers;
    this.#meterFile = `${dataFolder}.meter`;
    const meter = join(import.meta.dirname, '../support/relayMeter.mjs');
    this.#relay = new RelayProcess({
      dataFolder,
      command: [...RELAY_NODE_OPTIONS, ...(metered ? ['--expose-gc', '--import', meter] : []), RELAY_BUNDLE],
      env: { SANDPIPER_BENCH_METER: this.#meterFile, ANTHROPIC_API_KEY: 'sk-ant-bench', SANDPIPER_LOG: 'warn' },
    });
  }

  /**
   * Makes the two processes beside the relay; all end with the measurement.
   * @param metered `meter` can be asked; the relay then takes longer to start
   */
  static async make(bench: Bench, name: string, { metered = true } = {}): Promise<LoadRelay> {
    await buildProduct();
    const agents = startAgents();
    bench.defer(() => agents.stop());
    const followers = startFollowers();
    bench.defer(() => followers.stop());
    const made = new LoadRelay(join(bench.folder, name), agents, followers, metered);
    bench.defer(() => made.#relay.stop('SIGKILL'));
    return made;
  }

  /** While the relay does not run. Only live sessions are in `sessions`. */
  async add(count: number, live = true): Promise<void> {
    const added = await addSessions(this.dataFolder, { count, agentPid: this.agents.pid, live });
    this.sessions.push(...(live ? added : []));
  }

  get sessionIds(): string[] {
    return this.sessions.map(({ id }) => id);
  }

  get journals(): string[] {
    return this.sessions.map(({ journal }) => journal);
  }

  get pid(): number {
    return this.#relay.pid ?? 0;
  }

  async start(): Promise<void> {
    await this.#relay.start();
  }

  /** Resolves as soon as clients can find it, as they do: it may still be taking sessions up. */
  async startForClients(): Promise<{ url: string; token: string }> {
    const started = this.#relay.start();
    started.catch(() => {});
    for (;;) {
      const found = await findRelay(this.dataFolder);
      if (found) {
        return { url: found.url, token: found.token };
      }
      await Promise.race([sleep(ADDRESS_POLL_MS), started]);
    }
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.followers.ask('leave', undefined);
    await this.#relay.stop(signal);
  }

  async kill(): Promise<void> {
    await this.#relay.stop('SIGKILL');
  }

  /** Where clients find it. */
  async address(): Promise<{ url: string; token: string }> {
    const found = await findRelay(this.dataFolder);
    if (!found) {
      throw new Error(`There is no relay.\n${this.#relay.log}`);
    }
    return { url: found.url, token: found.token };
  }

  /** What the relay did since the last call. */
  async meter(): Promise<RelayMeter> {
    await rm(this.#meterFile, { force: true });
    process.kill(this.pid, 'SIGUSR2');
    const deadline = Date.now() + METER_TIMEOUT_MS;
    for (;;) {
      const text = await readFile(this.#meterFile, 'utf8').catch(() => '');
      if (text.endsWith('}')) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what relayMeter.mjs writes
        return JSON.parse(text) as RelayMeter;
      }
      if (Date.now() > deadline) {
        throw new Error(`The relay does not answer.\n${this.#relay.log}`);
      }
      await sleep(50);
    }
  }

  get log(): string {
    return this.#relay.log;
  }
}
