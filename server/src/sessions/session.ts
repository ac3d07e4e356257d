import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import type { Agent } from '../agents/agent.ts';
import type { Sandbox, SandboxRef } from '../sandboxes/provider.ts';
import { HaltSwitch } from '../core/halting.ts';
import type { CallRecord } from '../store/store.ts';
import { letGoOfSandbox, removeLeftSandbox } from './letGo.ts';
import { stoppedEarly } from './failure.ts';
import { AgentLink } from './agentLink.ts';
import type { AgentRun } from './agentRun.ts';
import { applyReview } from './applyReview.ts';
import { blockSession } from './blockSession.ts';
import { checkpointTurn } from './checkpointTurn.ts';
import { decideNext, isAtRest, mayRelease, type Step } from './decisions.ts';
import { deliverMessage } from './deliverMessage.ts';
import type { Dependencies } from './dependencies.ts';
import { extractSpec } from './extractStep.ts';
import { LeftTidying } from './leftTidying.ts';
import { loseSandbox } from './lostSandbox.ts';
import { letAgentGo, moveSession } from './moveSession.ts';
import { needsWatch, watchEvents, type WatchAction } from './liveness.ts';
import { prepareSandbox, startAgent } from './preparation.ts';
import { delayLeftMs, recoverEvents } from './recovery.ts';
import { restoreCheckpoint } from './restoreCheckpoint.ts';
import type { Runtime } from './runtime.ts';
import type { Draft } from './changeBatch.ts';
import { archiveDraft, stopTurn } from './personDrafts.ts';
import { runCheck } from './runCheck.ts';
import type { SessionLog } from './sessionLog.ts';
import { specEventsOf } from './specDecisions.ts';
import { updateBase } from './updateBase.ts';
import { untilQuiet } from './untilQuiet.ts';

type CallOf = (seq: number) => CallRecord;

/**
 * One session at work: takes the next step that its log asks for, until it has to wait for the agent or a person. Holds
 * nothing that the log does not: after a restart a new one goes on from the same place.
 */
export class Session {
  readonly log: SessionLog;
  readonly #dependencies: Dependencies;
  readonly #agent: Agent;
  readonly #link: AgentLink;
  /** What prepares a turn: when it is stopped no program of it goes on in the background. */
  readonly #preparing = new HaltSwitch();
  #advancing: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #delay: NodeJS.Timeout | undefined;
  readonly #left: LeftTidying;

  constructor(log: SessionLog, dependencies: Dependencies) {
    const agent = dependencies.agents.get(log.state.agent.id);
    if (!agent) {
      throw new SandpiperError('agent_missing', `This relay knows no agent "${log.state.agent.id}".`);
    }
    this.log = log;
    this.#agent = agent;
    this.#dependencies = dependencies;
    this.#link = new AgentLink({
      log,
      agent,
      dependencies,
      onProgress: () => this.advance(),
      onFailure: error => void this.#block(error),
    });
    this.#left = new LeftTidying(dependencies, log, () => this.advance());
  }

  get id(): string {
    return this.log.state.id;
  }

  /** Takes the steps that are due, in the background. */
  advance(): void {
    if (this.#closed) {
      return;
    }
    if (this.#advancing) {
      this.#again = true;
      return;
    }
    this.#occupy(this.#takeSteps());
  }

  #occupy(work: Promise<void>): void {
    this.#advancing = work.finally(() => {
      this.#advancing = undefined;
      if (this.#again) {
        this.#again = false;
        this.advance();
      }
    });
  }

  /** Does something while no step is taken. */
  async #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#advancing) {
      await this.#advancing;
    }
    const working = work();
    const settled = (): void => {};
    this.#occupy(working.then(settled, settled));
    return working;
  }

  /** As in letGo.ts. */
  letGoOfSandbox(why: string): Promise<boolean> {
    return this.#exclusively(async () => {
      const isGone = await letGoOfSandbox(this.#dependencies, this.log, why);
      if (isGone) {
        this.#link.forgetSandbox();
      }
      return isGone;
    });
  }

  /** As in letGo.ts. */
  removeLeftSandbox(left: SandboxRef): Promise<boolean> {
    return this.#exclusively(() => removeLeftSandbox(this.#dependencies, this.log, left));
  }

  /** What a person asks for: decided, durable, then told to the agent. @returns the seq that the log then has */
  async perform(decide: (agent: Agent, state: SessionState, runtime: Runtime) => Draft): Promise<number> {
    const { events, inputs } = await this.log.update((state, runtime) => decide(this.#agent, state, runtime));
    if (events.some(({ body }) => body.type === 'stopRequested')) {
      this.#link.armEnd();
    }
    await this.#link.write(inputs);
    this.advance();
    return events.at(-1)?.seq ?? this.log.state.seq;
  }

  /**
   * Stops what is under way. A turn is ended by the agent, or with its processes when it does not end it; what prepares a
   * turn is given up, and the message waits for a retry. False when nothing was under way.
   */
  async stop(by: string, call: (stopping: boolean) => CallOf): Promise<boolean> {
    let what: ReturnType<typeof whatToStop>;
    const { inputs, events } = await this.log.update(state => {
      what = whatToStop(state);
      return { ...stopTurn(this.#agent, state, what, by), call: call(what !== undefined) };
    });
    if (what === 'start' || what === 'spec' || what === 'move') {
      this.#preparing.halt(stoppedEarly());
    }
    if (what === 'turn' && events.length > 0) {
      this.#link.armEnd();
      await this.#link.write(inputs);
    }
    this.advance();
    return what !== undefined;
  }

  /**
   * Goes on after a failure: tries again what failed, ends an agent that is stuck and has the next one resume its
   * conversation, or resumes a turn that was cut off. Messages that were not taken are handed over again. False when there
   * was nothing to recover.
   */
  async recover(call: (recovering: boolean) => CallOf): Promise<boolean> {
    const { events } = await this.log.update(state => {
      const decided = recoverEvents(state);
      return { events: decided, call: call(decided.length > 0) };
    });
    this.advance();
    return events.length > 0;
  }

  /** What the watch decided, unless the session has moved on since. */
  async act(action: WatchAction, since: number): Promise<void> {
    const { inputs, events } = await this.log.update(state => {
      const decided = needsWatch(state) ? watchEvents(state, action, since) : [];
      return decided.length === 0
        ? undefined
        : {
            events: decided,
            inputs: action.kind === 'interrupt' ? [this.#agent.encodeInterrupt(`watch-${state.seq}`)] : [],
          };
    });
    for (const { body } of events) {
      this.#dependencies.log.log('warn', 'session', 'The watch acted', { sessionId: this.id, ...body });
    }
    await this.#link.write(inputs);
    this.advance();
  }

  /** The sandbox and agent to look at, while the journal of one is read. */
  get watched(): { run: AgentRun; sandbox: Sandbox; agent: Agent } | undefined {
    const { run, knownSandbox } = this.#link;
    return run && knownSandbox ? { run, sandbox: knownSandbox, agent: this.#agent } : undefined;
  }

  /** Since when there is no room to store what the agent writes, in milliseconds since the epoch. */
  get fullSince(): number | undefined {
    return this.#link.fullSince;
  }

  /** When this resolves for `archived`, no agent of the session is left, or one that just starts is about to be ended. */
  async archive(archived: boolean, call: CallOf): Promise<void> {
    await this.log.update((state, runtime) => ({ ...archiveDraft(state, runtime, archived), call }));
    if (archived) {
      this.#preparing.halt(stoppedEarly());
    }
    if (archived && this.log.state.agent.running) {
      await this.#link.end(this.log.state.agent.segment).catch((error: unknown) => this.#block(error));
    }
    this.advance();
  }

  /** A change that needs nothing but the log; with `delayMs` it may wait so long to share a commit. */
  record(
    decide: (state: SessionState, runtime: Runtime) => Draft | undefined,
    delayMs = 0,
  ): ReturnType<SessionLog['update']> {
    return this.log.update(decide, delayMs);
  }

  /**
   * Ends an agent that has had nothing to do for so long; the next message resumes its conversation.
   * @param why in words, for the log of the session
   */
  async releaseAgent(idleMs: number, now: number, why: string): Promise<void> {
    let released = false;
    await this.log.update((state, runtime) => {
      released = mayRelease(state, runtime, idleMs, now);
      return released ? { events: [], runtime: { releasing: state.agent.segment, releaseReason: why } } : undefined;
    });
    if (released) {
      await this.#link.endInput();
    }
  }

  /**
   * Resolves when no agent is left and no step is due: what an archived session comes to.
   * @throws `timeout`
   */
  quiet(timeoutMs: number): Promise<void> {
    return untilQuiet(() => !this.#advancing && !this.log.state.agent.running && this.#isWaiting, timeoutMs);
  }

  get #isWaiting(): boolean {
    return isAtRest(decideNext(this.log.state, this.log.runtime, this.#link.attached));
  }

  /** Whether nothing is under way and nobody looks: then the log says all that this object knows. */
  get unused(): boolean {
    return (
      !this.#advancing &&
      !this.log.state.agent.running &&
      this.#link.unused &&
      this.log.unused &&
      decideNext(this.log.state, this.log.runtime, false).kind === 'wait'
    );
  }

  /** Lets go of an unused session at once. Whoever still holds it can read it and change nothing. */
  release(): void {
    this.#closed = true;
    clearTimeout(this.#delay);
    this.#left.stop();
    this.#link.close();
    this.log.close();
  }

  /** Lets go of everything; the agent lives on. What can be begun again is given up rather than waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#delay);
    this.#left.stop();
    this.#link.close();
    this.#preparing.halt(stoppedEarly());
    await this.#advancing;
    await this.log.settled();
  }

  async #takeSteps(): Promise<void> {
    for (;;) {
      const step = decideNext(this.log.state, this.log.runtime, this.#link.attached);
      if (step.kind === 'wait' || this.#closed) {
        return;
      }
      try {
        if (await this.#take(step)) {
          return;
        }
      } catch (error) {
        const { code } = toSandpiperError(error);
        if (code === 'stopped' || (code === 'sandbox_gone' && (await this.#loseSandbox(error)))) {
          continue;
        }
        await this.#block(error);
        return;
      }
    }
  }

  /** The sandbox no longer exists. Returns false when that could not be told, or when there never was one. */
  async #loseSandbox(error: unknown): Promise<boolean> {
    this.#link.forgetSandbox();
    try {
      return await loseSandbox(this.#dependencies, this.log, error);
    } catch (failure) {
      this.#link.tryLater(failure);
      return false;
    }
  }

  /** @returns whether what comes next is a thing to wait for, which then calls `advance` */
  async #take(step: Exclude<Step, { kind: 'wait' }>): Promise<boolean> {
    switch (step.kind) {
      case 'prepareSandbox':
        this.#link.use(await this.#preparing.run(() => prepareSandbox(this.#dependencies, this.log)));
        return false;
      case 'startAgent':
        if (this.#mustWait()) {
          return true;
        }
        await this.#start(await this.#link.sandbox());
        return false;
      case 'attachAgent':
        return this.#link.reattach();
      case 'endAgent':
        return (await letAgentGo(this.log, step.segment)) && this.#end(step.segment);
      case 'deliver':
        await this.#link.write(await deliverMessage(this.#dependencies, this.log, this.#agent, step.messageId));
        return false;
      case 'applyReview':
        await this.#preparing.run(async () =>
          applyReview(this.#dependencies, this.log, await this.#link.sandbox(), step.submission),
        );
        return false;
      case 'checkpoint':
        await checkpointTurn(this.#dependencies, this.log, this.#agent, await this.#link.sandbox(), step.turn);
        return false;
      case 'check':
        await this.#preparing.run(async () => runCheck(this.#dependencies, this.log, await this.#link.sandbox()));
        return false;
      case 'extractSpec':
        await extractSpec(this.#dependencies, this.log);
        return false;
      case 'spec':
        await this.log.update(state => ({ events: specEventsOf(state, Date.now()) }));
        return false;
      case 'restore':
        await restoreCheckpoint(this.#dependencies, this.log, this.#agent, await this.#link.sandbox());
        return false;
      case 'updateBase':
        await updateBase(this.#dependencies, this.log, await this.#link.sandbox());
        return false;
      case 'move':
        await this.#move();
        return false;
      case 'removeLeft':
        return !(await this.#left.tidy());
    }
  }

  async #end(segment: number): Promise<boolean> {
    await this.#link.end(segment);
    return this.log.state.agent.running;
  }

  async #move(): Promise<void> {
    const moved = await this.#preparing.run(() => moveSession(this.#dependencies, this.log, this.#agent));
    if (moved) {
      this.#link.forgetSandbox();
      this.#link.use(moved);
    }
    await this.#left.tidy();
  }

  async #start(sandbox: Sandbox): Promise<void> {
    const first = await this.#preparing.run(() => startAgent(this.#dependencies, this.log, sandbox, this.#agent));
    this.#link.attach(sandbox);
    await this.#link.write(first);
  }

  /** Whether the next attempt to recover is not due yet; it is then taken when it is. */
  #mustWait(): boolean {
    const leftMs = delayLeftMs(this.log.state.recovering, Date.now());
    clearTimeout(this.#delay);
    if (leftMs > 0) {
      this.#delay = setTimeout(() => this.advance(), leftMs);
    }
    return leftMs > 0;
  }

  async #block(error: unknown): Promise<void> {
    try {
      const failure = await blockSession(this.#dependencies, this.log, error);
      if (this.log.state.archived && this.log.state.agent.running) {
        this.#link.tryLater(failure);
      }
    } catch (writeError) {
      this.#link.tryLater(writeError);
    }
  }
}
