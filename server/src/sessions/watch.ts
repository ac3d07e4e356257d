import type { Quiet } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { steadyNow } from '../core/steadyClock.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { processName } from './agentRun.ts';
import type { Dependencies } from './dependencies.ts';
import { decideWatch, judge, needsWatch, type Evidence } from './liveness.ts';
import { MAX_RECOVERIES } from './recovery.ts';
import { conversationIn, copyOf } from './savedConversation.ts';
import type { Session } from './session.ts';

/** Looks in the time after which an agent counts as stuck. */
const LOOKS = 8;
const MIN_PERIOD_MS = 50;
const MAX_PERIOD_MS = 5000;
/** How much of one processor, at least, is work and not the idling of a program. */
const BUSY_SHARE = 0.05;
const MAX_GRACE_MS = 15_000;
const CHUNK_BYTES = 1 << 20;

interface Watched {
  session: Session;
  looking: boolean;
  segment: number;
  cpu: { at: number; cpuMs: number; busyAt: number } | undefined;
  /** How far the agent's record of the conversation was read, and when it last grew. */
  conversation: { offset: number; grewAt: number | undefined } | undefined;
  interruptedAt: number | undefined;
  quiet: Quiet | undefined;
}

/**
 * Looks after the agents that are awaited: those with a turn or a message under way and no question to a person. An idle
 * session costs nothing, and one whose agent writes costs no system call.
 */
export class Watch {
  readonly #dependencies: Dependencies;
  readonly #onSummary: (summary: SessionSummary) => void;
  readonly #watched = new Map<string, Watched>();
  readonly #periodMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param onSummary a row changed though nothing happened that belongs into the log */
  constructor(dependencies: Dependencies, onSummary: (summary: SessionSummary) => void) {
    this.#dependencies = dependencies;
    this.#onSummary = onSummary;
    this.#periodMs = Math.min(MAX_PERIOD_MS, Math.max(MIN_PERIOD_MS, dependencies.stuckMs / LOOKS));
  }

  /** To be called whenever a session has changed. */
  consider(session: Session): void {
    const known = this.#watched.get(session.id);
    if (!needsWatch(session.log.state)) {
      this.#watched.delete(session.id);
    } else if (known?.session !== session || known.segment !== session.log.state.agent.segment) {
      this.#watched.set(session.id, {
        session,
        looking: false,
        segment: session.log.state.agent.segment,
        cpu: undefined,
        conversation: undefined,
        interruptedAt: undefined,
        quiet: undefined,
      });
    } else {
      // Something happened: whatever was awaited in silence has come.
      known.quiet = undefined;
    }
    this.#setTimer();
  }

  /** The row of a session as it is seen at this moment. */
  seen(summary: SessionSummary): SessionSummary {
    const watched = this.#watched.get(summary.id);
    return watched?.quiet ? summarize(watched.session.log.state, watched.quiet) : summary;
  }

  close(): void {
    this.#watched.clear();
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setInterval(() => this.#lookAtAll(), this.#periodMs).unref();
    }
  }

  #lookAtAll(): void {
    for (const watched of this.#watched.values()) {
      // A sandbox that does not answer holds up nobody else.
      if (!watched.looking) {
        watched.looking = true;
        this.#look(watched)
          .catch((error: unknown) =>
            this.#dependencies.log.log('warn', 'session', `An agent could not be looked at: ${String(error)}`, {
              sessionId: watched.session.id,
            }),
          )
          .finally(() => (watched.looking = false));
      }
    }
  }

  async #look(watched: Watched): Promise<void> {
    const { session } = watched;
    const { fullSince } = session;
    if (fullSince !== undefined) {
      this.#showQuiet(watched, { kind: 'disk', since: fullSince });
      return;
    }
    const evidence = await this.#evidence(watched);
    if (!evidence || this.#watched.get(session.id) !== watched || !needsWatch(session.log.state)) {
      return;
    }
    const { stuckMs } = this.#dependencies;
    const health = judge(session.log.state, evidence, { stuckMs });
    const silentMs = health.kind === 'well' ? health.modelSilentMs : undefined;
    this.#showQuiet(watched, silentMs === undefined ? undefined : { kind: 'model', since: Date.now() - silentMs });
    const now = steadyNow();
    const action = decideWatch(session.log.state, health, {
      interruptedMs: watched.interruptedAt === undefined ? undefined : now - watched.interruptedAt,
      graceMs: Math.min(MAX_GRACE_MS, stuckMs / 2),
      maxRecoveries: MAX_RECOVERIES,
    });
    if (action.kind !== 'none') {
      // The answer to it is a sign of life too; what is silent again after it is not interrupted twice.
      watched.interruptedAt = action.kind === 'interrupt' ? now : watched.interruptedAt;
      await session.act(action, Date.now() - evidence.silentMs);
    }
  }

  #showQuiet(watched: Watched, quiet: Quiet | undefined): void {
    if (quiet?.kind !== watched.quiet?.kind) {
      watched.quiet = quiet;
      this.#onSummary(summarize(watched.session.log.state, quiet));
    }
  }

  /** The first look only finds the end of the record; from then on whatever comes is news. */
  async #nextConversation(
    { session, conversation }: Watched,
    path: string,
    sandbox: Sandbox,
    now: number,
  ): Promise<NonNullable<Watched['conversation']>> {
    let offset = conversation?.offset ?? (await this.#dependencies.conversations.size(copyOf(session.log.state)));
    const before = offset;
    for (let length = -1; length !== 0; offset += length) {
      length = (await sandbox.readFrom(path, offset, CHUNK_BYTES)).data.length;
    }
    return { offset, grewAt: conversation && offset > before ? now : conversation?.grewAt };
  }

  async #evidence(watched: Watched): Promise<Evidence | undefined> {
    const { session } = watched;
    const link = session.watched;
    if (!link) {
      return undefined;
    }
    const now = steadyNow();
    const { silentMs } = link.run;
    const call = this.#dependencies.gateway.lastRequest(session.id);
    const begun = call?.since ?? now;
    // Processes and files are looked at only when silence begins to mean something.
    const quiet = silentMs >= this.#dependencies.stuckMs / 2;
    const vitals = quiet ? await link.sandbox.vitals?.(processName(link.run.segmentNumber)) : undefined;
    const path = conversationIn(session.log, link.sandbox, link.agent);
    watched.conversation =
      quiet && path !== undefined ? await this.#nextConversation(watched, path, link.sandbox, now) : undefined;
    const grewAt = watched.conversation?.grewAt;
    const cpu = vitals && nextCpu(watched.cpu, vitals.cpuMs, now);
    watched.cpu = cpu;
    return {
      silentMs,
      modelCalls: call?.inFlight ?? 0,
      modelSilentMs: Math.max(0, now - Math.max(begun, call?.lastByteAt ?? begun)),
      cpuIdleMs: cpu && now - cpu.busyAt,
      held: vitals?.held ?? false,
      conversationQuietMs: grewAt === undefined ? undefined : now - grewAt,
      heartbeatMs: link.agent.heartbeatMs?.(session.log.state.agent.version ?? ''),
    };
  }
}

/** What is known of the use of the processor after one more look. */
function nextCpu(before: Watched['cpu'], cpuMs: number, at: number): NonNullable<Watched['cpu']> {
  if (!before) {
    return { at, cpuMs, busyAt: at };
  }
  const busy = cpuMs - before.cpuMs > (at - before.at) * BUSY_SHARE;
  return { at, cpuMs, busyAt: busy ? at : before.busyAt };
}
