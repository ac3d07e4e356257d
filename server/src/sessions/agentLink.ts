import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import type { Agent } from '../agents/agent.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { AgentInput } from '../store/store.ts';
import { endEvents } from './agentEnd.ts';
import { DiskTrouble, journalLost } from './storageNotices.ts';
import { AgentRun, processName } from './agentRun.ts';
import type { Dependencies } from './dependencies.ts';
import { openGateway } from './preparation.ts';
import { recoveryAfterEnd } from './recovery.ts';
import type { SessionLog } from './sessionLog.ts';
import { providerOf } from './workspace.ts';

/** The agent gets this long to stop by itself; then its processes are killed. */
const STOP_GRACE_MS = 4000;
/** After the store refused a write (a full disk), the journal is read again this much later. */
const STORE_RETRY_MS = 3000;

export interface AgentLinkOptions {
  log: SessionLog;
  agent: Agent;
  dependencies: Dependencies;
  /** Something happened after which the next step may be due. */
  onProgress(): void;
  /** A failure that a person must know of. */
  onFailure(error: unknown): void;
}

/**
 * A session's hold on its agent and on the sandbox that this works in. At most one run reads the journal. What goes wrong
 * between the two is mended here: the run is let go of and another one reads on from the stored offset.
 */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #log: SessionLog;
  readonly #dependencies: Dependencies;
  #sandbox: Sandbox | undefined;
  #run: AgentRun | undefined;
  #stopTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  readonly #disk = new DiskTrouble();
  #closed = false;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#dependencies = options.dependencies;
  }

  /** Whether it waits for nothing. */
  get unused(): boolean {
    return this.#run === undefined && this.#retryTimer === undefined;
  }

  /** What reads the journal of the agent at this moment. */
  get run(): AgentRun | undefined {
    return this.#run;
  }

  get knownSandbox(): Sandbox | undefined {
    return this.#sandbox;
  }

  /** Since when the store has no room for what the agent writes, in milliseconds since the epoch. */
  get fullSince(): number | undefined {
    return this.#disk.since;
  }

  /** Whether the journal of the agent is being read. */
  get attached(): boolean {
    return this.#run !== undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#stopTimer);
    clearTimeout(this.#retryTimer);
    this.#letGo();
  }

  /** Takes a sandbox that was just made. */
  use(sandbox: Sandbox): void {
    this.#sandbox = sandbox;
  }

  /** Lets go of a sandbox that no longer exists, and of the agent that was in it. */
  forgetSandbox(): void {
    clearTimeout(this.#stopTimer);
    this.#letGo();
    this.#sandbox = undefined;
  }

  /** @throws `sandbox_gone` */
  async sandbox(): Promise<Sandbox> {
    if (!this.#sandbox) {
      const { sandbox } = this.#log.runtime;
      if (!sandbox) {
        throw new SandpiperError('sandbox_gone', 'This session has no sandbox yet.', { hint: 'Retry the session.' });
      }
      this.#sandbox = await providerOf(this.#dependencies, sandbox.provider).attach(sandbox);
    }
    return this.#sandbox;
  }

  /**
   * After a restart, or after the journal was lost: it is read on from the stored offset, whether the agent lives or not,
   * and every input is written again. @returns whether to wait because it will be tried again
   */
  async reattach(): Promise<boolean> {
    const { segment } = this.#log.state.agent;
    try {
      const sandbox = await this.sandbox();
      await openGateway(this.#dependencies, this.#log, sandbox);
      // A run that was let go of may have a last commit under way.
      await this.#log.settled();
      this.attach(sandbox);
      if (await sandbox.alive(processName(segment))) {
        await this.#run?.segment.claim();
        await this.#run?.write(await this.#dependencies.store.readInputs(this.#log.state.id, segment, 1));
      }
    } catch (error) {
      return this.#noWayToAgent(error);
    }
    if (this.#log.runtime.releasing === segment) {
      await this.endInput();
    }
    if (this.#mustEnd) {
      this.armEnd();
    }
    return false;
  }

  #noWayToAgent(error: unknown): boolean {
    const failure = toSandpiperError(explainDiskFull(error));
    if (failure.retryable) {
      this.#lostJournal(failure);
      return true;
    }
    this.#letGo();
    throw error;
  }

  /** Reads the journal of the session's agent on from where the log stands. */
  attach(sandbox: Sandbox): void {
    if (this.#closed) {
      return;
    }
    const { segment } = this.#log.state.agent;
    const run: AgentRun = new AgentRun({
      sandbox,
      agent: this.#options.agent,
      segment,
      epoch: this.#dependencies.ownership.epoch,
      log: this.#log,
      blobs: this.#dependencies.blobs,
      onProgress: () => this.#progressed(),
      onEnd: exitCode => void this.#ended(run, exitCode),
      onError: error => void this.#broken(run, error),
    });
    this.#run = run;
  }

  /** The agent lives on; its journal is read again when the next step attaches. */
  #letGo(): void {
    this.#run?.dispose();
    this.#run = undefined;
  }

  #progressed(): void {
    if (!this.#mustEnd) {
      clearTimeout(this.#stopTimer);
    }
    const notice = this.#disk.takeNotice(Date.now());
    if (notice) {
      this.#log.update(() => ({ events: [notice] })).catch((error: unknown) => this.tryLater(error));
    }
    this.#options.onProgress();
  }

  /** The run stays in place until the end is in the log: without one, another would be attached to the dead agent. */
  async #ended(run: AgentRun, exitCode: number | null): Promise<void> {
    const { segmentNumber: segment } = run;
    clearTimeout(this.#stopTimer);
    try {
      // What it left running must not meet the next agent.
      await run.segment.kill();
      // Nobody asks why an agent ended that was to end; and a sandbox that hangs must not hold up a stop.
      const stderr = this.#mustEnd ? '' : await run.segment.errTail(2000).catch(() => '');
      if (this.#run !== run) {
        return;
      }
      await this.#recordEnd(segment, { exitCode, stderr });
    } catch (error) {
      if (this.#run === run) {
        this.#lostJournal(error);
      }
      return;
    }
    if (this.#run === run) {
      this.#letGo();
    }
    this.#options.onProgress();
  }

  /** Where the journal itself is damaged, its agent is ended: nobody would hear it. Everything else is read again. */
  async #broken(run: AgentRun, error: unknown): Promise<void> {
    if (toSandpiperError(error).code !== 'journal_lost') {
      this.#lostJournal(error);
      return;
    }
    try {
      await run.segment.kill();
      await this.#log.settled();
      if (this.#run !== run) {
        return;
      }
      await this.#recordEnd(run.segmentNumber, { exitCode: null, stderr: '' }, journalLost(error));
      this.#letGo();
    } catch (failure) {
      this.#lostJournal(failure);
      return;
    }
    this.#options.onProgress();
  }

  async #recordEnd(
    segment: number,
    end: { exitCode: number | null; stderr: string },
    reason: EventBody[] = [],
  ): Promise<void> {
    await this.#dependencies.gateway.close(this.#log.state.id);
    await this.#dependencies.egress.proxy.close(this.#log.state.id);
    await this.#log.update((state, runtime) => {
      if (!state.agent.running || state.agent.segment !== segment) {
        return undefined;
      }
      const ended = endEvents(state, runtime, { segment, ...end });
      const events = [...reason, ...ended, ...recoveryAfterEnd(state, ended)];
      const counted = events.some(event => event.type === 'agentFinished');
      return { events, runtime: { answerContexts: {}, ...(counted ? { turnUsage: NO_USAGE } : {}) } };
    });
  }

  /** The journal could not be read or its events not be stored. Nothing is lost: it is read again from the stored offset. */
  #lostJournal(error: unknown): void {
    this.#letGo();
    if (toSandpiperError(error).code === 'sandbox_gone') {
      // Whether it really is gone is found out when it is attached again.
      this.#sandbox = undefined;
      this.#options.onProgress();
    } else {
      this.tryLater(error);
    }
  }

  /** What failed here could not be told in the log; the step is taken again in a while. */
  tryLater(error: unknown): void {
    const failure = toSandpiperError(error);
    this.#disk.noteFailure(failure, Date.now());
    this.#dependencies.log.log('error', 'session', failure.message, {
      sessionId: this.#log.state.id,
      code: failure.code,
    });
    clearTimeout(this.#retryTimer);
    if (!this.#closed) {
      this.#retryTimer = setTimeout(() => {
        this.#retryTimer = undefined;
        this.#options.onProgress();
      }, STORE_RETRY_MS);
    }
  }

  /** The inputs are in the store already. What cannot be written now is written when the agent is attached again. */
  async write(inputs: readonly AgentInput[]): Promise<void> {
    try {
      await this.#run?.write(inputs);
    } catch (error) {
      this.#lostJournal(error);
    }
  }

  /** Lets the agent end by itself. */
  async endInput(): Promise<void> {
    try {
      await this.#run?.segment.writeEof();
      this.armEnd();
    } catch (error) {
      this.#lostJournal(error);
    }
  }

  get #mustEnd(): boolean {
    const { state, runtime } = this.#log;
    const { running, segment } = state.agent;
    return (
      state.phase.kind === 'stopping' || (running && (runtime.releasing === segment || runtime.stopping === segment))
    );
  }

  /** Ends the agent's processes when it does not stop its turn, or itself, in time. */
  armEnd(): void {
    clearTimeout(this.#stopTimer);
    this.#stopTimer = setTimeout(() => {
      if (this.#mustEnd) {
        this.end(this.#log.state.agent.segment).catch((error: unknown) => this.#options.onFailure(error));
      }
    }, STOP_GRACE_MS);
  }

  /** Ends an agent's processes; the run then sees the end of the journal. A start that is not in the log is forgotten. */
  async end(segment: number): Promise<void> {
    await (await this.sandbox()).kill(processName(segment));
    await this.#log.update((_state, runtime) =>
      runtime.starting === segment ? { events: [], runtime: { starting: undefined } } : undefined,
    );
  }
}
