import { appendFileSync } from 'node:fs';
import { rename, rm, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientUnderTest } from './clientUnderTest.ts';
import type { ClientSettings } from './clientMain.ts';
import { FaultyProxy } from './faultyProxy.ts';
import { coursesOf } from './course.ts';
import { gatherEvidence } from './evidence.ts';
import { leftovers } from './census.ts';
import { startModel, type ChaosModel } from './model.ts';
import { Observer, type Watched } from './observer.ts';
import { judge, type Problem } from './oracle.ts';
import { isKill, planFaults, type Fault, type FaultKind } from './plan.ts';
import { canSeeProcesses, processesIn, signalProcess } from './processes.ts';
import { RelayUnderTest } from './relayUnderTest.ts';
import { makeScratch, type Scratch } from './scratch.ts';

export interface ChaosOptions {
  kills: number;
  seed: number;
  eventsPerKill: number;
  kinds: readonly FaultKind[];
  /** Sessions under way at one time. */
  active: number;
  /** Messages of the longest session. */
  longest: number;
  /** Path of the real Claude Code; undefined: the stand-in plays it. */
  claude: string | undefined;
  /** Program and arguments of the relay, `serve` left out. */
  relay: readonly string[];
  /** Program and arguments that run the client; its folder is added. */
  client: readonly string[];
  environment: Readonly<Record<string, string>>;
  onProgress(progress: Progress): void;
}

export interface Progress {
  kills: number;
  events: number;
  doing: string;
}

export interface Outcome {
  kills: number;
  events: number;
  faults: Record<string, number>;
  sessions: number;
  agentsAlive: number;
  problems: Problem[];
  /** Of the sessions with a problem: what happened in them. */
  courses: string[];
  skipped: string[];
  /** Present when it was kept. */
  folder?: string;
}

/** Nothing happens for so long: the next fault strikes all the same. */
const IDLE_MS = 15_000;
/** Nothing happens for so long, and work is left: it is stuck. Longer than every watchdog of the relay. */
const STUCK_MS = 180_000;
/** Faults in a row without an event in between, after which the run ends. */
const MAX_IDLE_FAULTS = 25;

/** Runs sessions under faults, waits for quiet, and compares what is left with what must be. */
export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  const scratch = await makeScratch(options.kinds.includes('disk'));
  const run = new ChaosRun(options, scratch);
  const interrupted = (): void => {
    // Agents outlive their relay by design, and a mounted disk would stay: nothing of the run may.
    void run
      .abandon()
      .then(() => scratch.remove(false))
      .finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const outcome = await run.run();
    const keep = outcome.problems.length > 0;
    await scratch.remove(keep);
    return keep ? { ...outcome, folder: scratch.folder } : outcome;
  } catch (error) {
    await run.abandon();
    await scratch.remove(true);
    throw error instanceof Error
      ? new Error(`${error.message} The folder is kept: ${scratch.folder}`, { cause: error })
      : error;
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #scratch: Scratch;
  readonly #proxy: FaultyProxy;
  readonly #client: ClientUnderTest;
  readonly #agentKills = new Map<string, number>();
  readonly #faults: Record<string, number> = {};
  readonly #skipped: string[] = [];
  #model: ChaosModel | undefined;
  #relay: RelayUnderTest | undefined;
  #observer: Observer | undefined;
  #kills = 0;

  constructor(options: ChaosOptions, scratch: Scratch) {
    this.#options = options;
    this.#scratch = scratch;
    this.#proxy = new FaultyProxy(() => this.#relay?.url ?? 'http://127.0.0.1:1');
    this.#client = new ClientUnderTest([...options.client, scratch.clientFolder], text =>
      appendFileSync(join(scratch.folder, 'client.log'), text),
    );
    if (options.kinds.includes('disk') && !scratch.disk) {
      this.#skipped.push('disk: a small disk can be mounted by root only, and only on Linux');
    }
    if (!canSeeProcesses) {
      this.#skipped.push('agent, pauseAgent, orphans: other processes can be looked at on Linux only');
    }
  }

  async run(): Promise<Outcome> {
    const { relay, observer } = await this.#start();
    let idle = 0;
    for (const fault of planFaults(this.#options)) {
      this.#options.onProgress({ kills: this.#kills, events: observer.total, doing: fault.kind });
      const before = observer.total;
      await observer.reach(observer.total + fault.afterEvents, fault.at, IDLE_MS);
      idle = observer.total === before ? idle + 1 : 0;
      if (idle > MAX_IDLE_FAULTS) {
        break;
      }
      await sleep(fault.delayMs);
      await this.#strike(fault, relay, observer);
    }
    this.#options.onProgress({ kills: this.#kills, events: observer.total, doing: 'waiting for quiet' });
    this.#client.order('drain');
    while (!this.#client.hasReported('drained') && observer.quietMs < STUCK_MS) {
      await this.#client.reports('drained', 1000);
      this.#options.onProgress({ kills: this.#kills, events: observer.total, doing: 'waiting for quiet' });
    }
    return this.#judge(relay, observer);
  }

  /** Ends what runs, whatever state it is in. */
  async abandon(): Promise<void> {
    this.#observer?.dispose();
    await this.#client.kill();
    await this.#relay?.end('SIGKILL');
    await this.#proxy.close().catch(() => {});
    await this.#model?.close();
    for (const { pid } of await processesIn(this.#scratch.folder)) {
      signalProcess(pid, 'SIGKILL');
    }
  }

  async #start(): Promise<{ relay: RelayUnderTest; observer: Observer }> {
    const { options, scratch } = { options: this.#options, scratch: this.#scratch };
    this.#model = options.claude === undefined ? undefined : await startModel();
    await this.#proxy.listen();
    const relay = new RelayUnderTest({
      command: options.relay,
      logFile: join(scratch.folder, 'relay.log'),
      env: {
        ...options.environment,
        HOME: scratch.folder,
        TMPDIR: scratch.temporary,
        SANDPIPER_DATA: scratch.dataFolder,
        SANDPIPER_CLAUDE: options.claude ?? scratch.standIn,
        SANDPIPER_LOG: 'info',
        // The client comes through the proxy, under its address.
        SANDPIPER_HOSTS: new URL(this.#proxy.url).host,
        ANTHROPIC_API_KEY: 'chaos-needs-no-key',
        ANTHROPIC_BASE_URL: this.#model?.url ?? 'http://127.0.0.1:1',
      },
    });
    this.#relay = relay;
    await relay.start();
    const observer = new Observer(scratch.dataFolder);
    this.#observer = observer;
    const { providers } = await observer.client.call('relay.info', {});
    const settings: ClientSettings = {
      url: this.#proxy.url,
      token: (await readFile(join(scratch.dataFolder, 'token'), 'utf8')).trim(),
      seed: options.seed,
      repository: scratch.repository,
      active: options.active,
      longest: options.longest,
      mayAutopilot: providers.some(provider => provider.isolation !== 'none'),
    };
    await writeFile(join(scratch.clientFolder, 'settings.json'), JSON.stringify(settings));
    this.#client.start();
    return { relay, observer };
  }

  async #strike(fault: Fault, relay: RelayUnderTest, observer: Observer): Promise<void> {
    const struck = await this.#carryOut(fault, relay, observer);
    if (struck || isKill(fault.kind)) {
      // A kill that found nothing to kill falls on the relay instead, so that the number of kills is as planned.
      const kind = struck ? fault.kind : 'relay';
      if (!struck) {
        await this.#killRelay(fault, relay);
      }
      this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
      this.#kills += isKill(kind) ? 1 : 0;
      appendFileSync(
        join(this.#scratch.folder, 'faults.jsonl'),
        `${JSON.stringify({ time: Date.now(), events: observer.total, ...fault, kind })}\n`,
      );
    }
  }

  async #carryOut(fault: Fault, relay: RelayUnderTest, observer: Observer): Promise<boolean> {
    switch (fault.kind) {
      case 'relay':
        await this.#killRelay(fault, relay);
        return true;
      case 'client':
        await this.#client.kill();
        this.#client.start();
        return true;
      case 'agent':
      case 'pauseAgent':
        return this.#onAgent(fault, observer);
      case 'sandbox':
        return this.#destroySandbox(fault, observer);
      case 'pauseRelay':
        relay.signal('SIGSTOP');
        await sleep(fault.forMs);
        relay.signal('SIGCONT');
        return true;
      case 'cut':
        this.#proxy.cutAfter(fault.bytes);
        return true;
      case 'slow':
        this.#proxy.weather.bytesPerSecond = Math.max(200, fault.bytes * 10);
        await sleep(fault.forMs);
        this.#proxy.weather.bytesPerSecond = 0;
        return true;
      case 'stall':
        this.#proxy.weather.stalled = true;
        await sleep(fault.forMs);
        this.#proxy.weather.stalled = false;
        return true;
      case 'disk':
        await this.#scratch.disk?.fill();
        await sleep(fault.forMs);
        await this.#scratch.disk?.free();
        return this.#scratch.disk !== undefined;
    }
  }

  async #killRelay({ kind, forMs }: Fault, relay: RelayUnderTest): Promise<void> {
    await relay.end('SIGKILL');
    if (kind === 'relay' && forMs > 0) {
      await relay.start(forMs);
    }
    await relay.start();
  }

  /** Kills or holds the process of an agent: its program, or all that is in its sandbox. */
  async #onAgent({ kind, pick, forMs }: Fault, observer: Observer): Promise<boolean> {
    const target = pickOf(
      observer.sessions.filter(session => session.agentRuns && session.sandboxId),
      pick,
    );
    if (!target?.sandboxId) {
      return false;
    }
    const inside = await processesIn(this.#sandboxFolder(target.sandboxId));
    const pidFile = join(this.#sandboxFolder(target.sandboxId), 'journal', String(target.segment), 'pid');
    const innerPid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    const program = inside.find(seen => seen.innerPid === innerPid && seen.command.includes('--input-format'));
    if (!program) {
      return false;
    }
    if (kind === 'agent') {
      const all = (pick * 1000) % 1 < 0.3;
      const killed = (all ? inside : [program]).map(({ pid }) => signalProcess(pid, 'SIGKILL'));
      this.#countAgentKill(target);
      return killed.includes(true);
    }
    signalProcess(program.pid, 'SIGSTOP');
    await sleep(forMs);
    return signalProcess(program.pid, 'SIGCONT');
  }

  async #destroySandbox({ pick }: Fault, observer: Observer): Promise<boolean> {
    const target = pickOf(
      observer.sessions.filter(session => session.sandboxId),
      pick,
    );
    if (!target?.sandboxId) {
      return false;
    }
    const folder = this.#sandboxFolder(target.sandboxId);
    const inside = await processesIn(folder);
    const aside = join(this.#scratch.folder, `destroyed-${this.#kills}`);
    try {
      await rename(folder, aside);
    } catch {
      return false;
    }
    inside.forEach(({ pid }) => signalProcess(pid, 'SIGKILL'));
    this.#countAgentKill(target);
    await rm(aside, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    return true;
  }

  #countAgentKill({ id }: Watched): void {
    this.#agentKills.set(id, (this.#agentKills.get(id) ?? 0) + 1);
  }

  #sandboxFolder(sandboxId: string): string {
    return join(this.#scratch.dataFolder, 'sandboxes', sandboxId);
  }

  async #judge(relay: RelayUnderTest, observer: Observer): Promise<Outcome> {
    const scratch = this.#scratch;
    const problems: Problem[] = [];
    const isDrained = this.#client.hasReported('drained');
    this.#client.order('finish');
    if (!(await this.#client.reports('finished', 120_000))) {
      problems.push({ kind: 'stuck', text: 'The client could not read the logs to their end.' });
      await this.#client.kill();
    }
    const { evidence, stuck } = await gatherEvidence({
      client: observer.client,
      clientFolder: scratch.clientFolder,
      dataFolder: scratch.dataFolder,
      agentKills: this.#agentKills,
    });
    problems.push(...stuck.filter(({ kind }) => !isDrained || kind !== 'stuck'), ...evidence.flatMap(judge));
    if (!isDrained && stuck.length === 0) {
      problems.push({ kind: 'stuck', text: 'The client did not become quiet.' });
    }
    let agentsAlive = 0;
    for (const session of observer.sessions.filter(({ agentRuns }) => agentRuns)) {
      const inside = await processesIn(this.#sandboxFolder(session.sandboxId ?? 'none'));
      const programs = inside.filter(({ command }) => command.includes('agent-run.sh'));
      agentsAlive += programs.length > 0 ? 1 : 0;
      if (canSeeProcesses && programs.length === 0) {
        problems.push({ kind: 'agent', sessionId: session.id, text: 'Its agent should live and does not.' });
      }
    }
    for (const { id } of observer.sessions) {
      await observer.client.call('session.archive', { sessionId: id, archived: true });
    }
    observer.dispose();
    await relay.end('SIGTERM');
    await this.#proxy.close();
    await this.#model?.close();
    for (const text of await leftovers(scratch.folder, scratch.dataFolder, scratch.temporary)) {
      problems.push({ kind: 'orphan', text });
    }
    await this.abandon();
    return {
      kills: this.#kills,
      events: evidence.reduce((sum, { own }) => sum + own.length, 0),
      faults: this.#faults,
      sessions: evidence.length,
      agentsAlive,
      problems,
      courses: coursesOf(evidence, problems),
      skipped: this.#skipped,
    };
  }
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[Math.floor(pick * list.length)];
}
