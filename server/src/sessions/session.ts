import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { ApprovalDecision, Failure } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import type { Agent } from '../agents/agent.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import type { CallRecord } from '../store/store.ts';
import { STOPPED_EARLY } from './agentEnd.ts';
import { AgentLink } from './agentLink.ts';
import { decideNext, isHalted, mayRelease, type Step } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import { prepareSandbox, startAgent } from './preparation.ts';
import type { Runtime } from './runtime.ts';
import type { Draft, SessionLog } from './sessionLog.ts';
import { makeCheckpoint } from './workspace.ts';

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
  #advancing: Promise<void> | undefined;
  #again = false;
  #closed = false;

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
    this.#advancing = this.#takeSteps().finally(() => {
      this.#advancing = undefined;
      if (this.#again) {
        this.#again = false;
        this.advance();
      }
    });
  }

  async send(message: { messageId: string; text: string; by: string }, call: CallOf): Promise<number> {
    const { events } = await this.log.update(state => {
      refuseArchived(state);
      return {
        events: [
          { type: 'messageQueued', ...message },
          ...(state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by: message.by } as const] : []),
        ],
        call,
      };
    });
    this.advance();
    return events.at(-1)?.seq ?? this.log.state.seq;
  }

  /** @throws `conflict` when the approval was answered already or does not exist */
  async answer(approvalId: string, decision: ApprovalDecision, by: string, call: CallOf): Promise<number> {
    const { events, inputs } = await this.log.update((state, runtime) => {
      const context = runtime.answerContexts[approvalId];
      if (context === undefined || !state.approvals.some(open => open.id === approvalId)) {
        throw new SandpiperError(
          'conflict',
          'This question was answered already, or the turn that asked it has ended.',
          {
            hint: 'Look at the session for what was decided.',
          },
        );
      }
      const { [approvalId]: _answered, ...answerContexts } = runtime.answerContexts;
      return {
        events: [{ type: 'approvalAnswered', approvalId, decision, by }],
        inputs: [this.#agent.encodeAnswer(approvalId, context, decision)],
        runtime: { answerContexts },
        call,
      };
    });
    await this.#link.write(inputs);
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
      const request = { type: 'stopRequested', by } as const;
      const record = call(what !== undefined);
      if (what === 'start') {
        return { events: [request, { type: 'sessionBlocked', failure: STOPPED_EARLY }], call: record };
      }
      return what === 'turn' && state.phase.kind !== 'stopping'
        ? { events: [request], inputs: [this.#agent.encodeInterrupt(`stop-${state.seq}`)], call: record }
        : { events: [], call: record };
    });
    if (what === 'turn' && events.length > 0) {
      this.#link.armEnd();
      await this.#link.write(inputs);
    }
    this.advance();
    return what !== undefined;
  }

  /** Goes on after a failure. */
  async retry(by: string, call: CallOf): Promise<void> {
    await this.log.update(state => ({
      events: state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by }] : [],
      call,
    }));
    this.advance();
  }

  /** When this resolves for `archived`, no agent of the session is left, or one that just starts is about to be ended. */
  async archive(archived: boolean, call: CallOf): Promise<void> {
    await this.log.update(state => ({
      events: state.archived === archived ? [] : [{ type: 'sessionArchived', archived }],
      call,
    }));
    if (archived && this.log.state.agent.running) {
      await this.#link.end(this.log.state.agent.segment).catch((error: unknown) => this.#block(error));
    }
    this.advance();
  }

  /** A change that needs nothing but the log. */
  record(decide: (state: SessionState, runtime: Runtime) => Draft | undefined): ReturnType<SessionLog['update']> {
    return this.log.update(decide);
  }

  /** Ends an agent that has had nothing to do for so long; the next message resumes its conversation. */
  async releaseAgent(idleMs: number, now: number): Promise<void> {
    let released = false;
    await this.log.update((state, runtime) => {
      released = mayRelease(state, runtime, idleMs, now);
      return released ? { events: [], runtime: { releasing: state.agent.segment } } : undefined;
    });
    if (released) {
      await this.#link.endInput();
    }
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
    this.#link.close();
    this.log.close();
  }

  /** Lets go of everything; the agent lives on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#link.close();
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
        if (toSandpiperError(error).code === 'stopped') {
          continue;
        }
        await this.#block(error);
        return;
      }
    }
  }

  /** @returns whether what comes next is a thing to wait for, which then calls `advance` */
  async #take(step: Exclude<Step, { kind: 'wait' }>): Promise<boolean> {
    switch (step.kind) {
      case 'prepareSandbox':
        this.#link.use(await prepareSandbox(this.#dependencies, this.log));
        return false;
      case 'startAgent':
        await startAgent(this.#dependencies, this.log, await this.#link.sandbox(), this.#agent);
        this.#link.attach(await this.#link.sandbox());
        return false;
      case 'attachAgent':
        return this.#link.reattach();
      case 'endAgent':
        await this.#link.end(step.segment);
        return this.log.state.agent.running;
      case 'deliver':
        await this.#deliver(step.messageId);
        return false;
      case 'checkpoint':
        await this.#checkpoint(step.turn);
        return false;
    }
  }

  async #deliver(messageId: string): Promise<void> {
    const { inputs } = await this.log.update((state, runtime) => {
      const step = decideNext(state, runtime, true);
      return step.kind === 'deliver' && step.messageId === messageId
        ? { events: [{ type: 'messageSent', messageId }], inputs: [this.#agent.encodeMessage(step)] }
        : undefined;
    });
    await this.#link.write(inputs);
  }

  async #checkpoint(turn: number): Promise<void> {
    const checkpoint = await makeCheckpoint(this.#dependencies, await this.#link.sandbox(), this.log.state, turn);
    await this.log.update(state => {
      const ended = state.turns.find(candidate => candidate.number === turn);
      return ended?.agent && !ended.checkpoint
        ? {
            events: [
              ...checkpoint.notices.map(
                text =>
                  ({ type: 'noticeRaised', level: 'warning', text, hint: 'The sandbox keeps it as it is.' }) as const,
              ),
              {
                type: 'turnFinished',
                turn,
                outcome: ended.agent.outcome,
                checkpoint: checkpoint.commit,
                changed: checkpoint.changed,
                stats: checkpoint.stats,
              },
            ],
          }
        : undefined;
    });
  }

  async #block(error: unknown): Promise<void> {
    const failure = toSandpiperError(explainDiskFull(error));
    this.#dependencies.log.log(failure.code === 'internal' ? 'error' : 'warn', 'session', failure.message, {
      sessionId: this.id,
      code: failure.code,
      ...(failure.code === 'internal'
        ? { stack: failure.cause instanceof Error ? failure.cause.stack : failure.stack }
        : {}),
    });
    try {
      await this.log.update(state =>
        isHalted(state) ? undefined : { events: [{ type: 'sessionBlocked', failure: toFailure(failure) }] },
      );
      if (this.log.state.archived && this.log.state.agent.running) {
        this.#link.tryLater(failure);
      }
    } catch (writeError) {
      this.#link.tryLater(writeError);
    }
  }
}

function refuseArchived(state: SessionState): void {
  if (state.archived) {
    throw new SandpiperError('conflict', 'This session is archived.', {
      hint: 'Bring it back before you send a message.',
    });
  }
}

function toFailure(error: SandpiperError): Failure {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.retryable,
  };
}
