import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, LiveItem, SessionEvent, Usage } from '../../../protocol/events.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import { addUsage, NO_USAGE } from '../../../protocol/usage.ts';
import { disposable, type Disposable } from '../core/disposable.ts';
import type { CallRecord, SessionRow } from '../store/store.ts';
import { isUnderWay, mayRelease } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { EventSource } from './eventSource.ts';
import type { Runtime } from './runtime.ts';
import { Session } from './session.ts';
import { SessionLog, type Listener } from './sessionLog.ts';

/** How often to look for what is idle. */
const IDLE_CHECK_MS = 60_000;

/** Every session that this relay has in memory, and the way to those that it has not. */
export class Sessions implements EventSource {
  readonly #dependencies: Dependencies;
  readonly #sessions = new Map<string, Promise<Session>>();
  /** The same sessions once loaded, for what must be synchronous. */
  readonly #loaded = new Map<string, Session>();
  /** When somebody last asked for a session. */
  readonly #askedAt = new Map<string, number>();
  /** Usage that the store refused; it is counted with the next. */
  readonly #uncounted = new Map<string, Usage>();
  readonly #idleTimer: NodeJS.Timeout | undefined;
  readonly #summaryListeners = new Set<(summary: SessionSummary) => void>();
  #closed = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    const { idleMs } = dependencies;
    if (idleMs > 0) {
      this.#idleTimer = setInterval(
        () => this.#releaseIdle(idleMs, Date.now()),
        Math.min(idleMs, IDLE_CHECK_MS),
      ).unref();
    }
  }

  async create(options: {
    sessionId: string;
    events: EventBody[];
    runtime: Runtime;
    call: (seq: number) => CallRecord;
  }): Promise<Session> {
    // Known before its first events are: who hears of them and asks for the session must not load another one.
    const creating = this.#create(options);
    this.#sessions.set(options.sessionId, creating);
    creating.catch(() => this.#sessions.delete(options.sessionId));
    return creating;
  }

  async #create({ sessionId, ...options }: Parameters<Sessions['create']>[0]): Promise<Session> {
    const log = await SessionLog.create(this.#dependencies.store, {
      ...options,
      sessionId,
      onSummary: summary => this.#publish(summary),
    });
    const session = new Session(log, this.#dependencies);
    this.#loaded.set(sessionId, session);
    session.advance();
    return session;
  }

  /** @throws not_found */
  get(sessionId: string): Promise<Session> {
    this.#askedAt.set(sessionId, Date.now());
    const known = this.#sessions.get(sessionId);
    if (known) {
      return known;
    }
    if (this.#closed) {
      return Promise.reject(
        new SandpiperError('unavailable', 'The relay is stopping.', { hint: 'Try again in a moment.' }),
      );
    }
    const loading = this.#load(sessionId);
    this.#sessions.set(sessionId, loading);
    loading.catch(() => {
      this.#sessions.delete(sessionId);
      this.#askedAt.delete(sessionId);
    });
    return loading;
  }

  /** After a start: takes up every session in which something was under way. The others are read when asked for. */
  async recover(): Promise<number> {
    const open = (await this.#dependencies.store.activeSessions()).filter(isUnderWay);
    // An archived session can have an agent only when the relay was killed before it had ended it.
    open.push(...(await this.#archivedSessions()).filter(isUnderWay));
    for (const { sessionId } of open) {
      try {
        (await this.get(sessionId)).advance();
      } catch (error) {
        this.#dependencies.log.log('error', 'session', `Session ${sessionId} could not be taken up: ${String(error)}`);
      }
    }
    return open.length;
  }

  #archivedSessions(): Promise<SessionRow[]> {
    return this.#dependencies.store.listSessions({ archived: true, limit: -1 });
  }

  /**
   * Ends agents that have had nothing to do in this time, and takes out of memory what nobody has asked for. A message
   * starts the agent again, and a session is read from its log again when somebody asks.
   */
  #releaseIdle(idleMs: number, now: number): void {
    for (const [sessionId, session] of this.#loaded) {
      if (mayRelease(session.log.state, session.log.runtime, idleMs, now)) {
        session
          .releaseAgent(idleMs, now)
          .catch((error: unknown) =>
            this.#dependencies.log.log('warn', 'session', `An idle agent stays: ${String(error)}`, { sessionId }),
          );
      }
      const lastUse = Math.max(this.#askedAt.get(sessionId) ?? 0, session.log.state.updatedAt);
      if (now - lastUse >= idleMs && session.unused) {
        this.#loaded.delete(sessionId);
        this.#sessions.delete(sessionId);
        this.#askedAt.delete(sessionId);
        session.release();
        this.#dependencies.log.log('debug', 'session', 'A session left memory', { sessionId });
      }
    }
  }

  /** What the model gateway counted. */
  addUsage(sessionId: string, usage: Usage): void {
    const all = addUsage(this.#uncounted.get(sessionId) ?? NO_USAGE, usage);
    this.#uncounted.delete(sessionId);
    this.#loaded
      .get(sessionId)
      ?.record((_state, runtime) => ({ events: [], runtime: { turnUsage: addUsage(runtime.turnUsage, all) } }))
      .catch((error: unknown) => {
        this.#uncounted.set(sessionId, addUsage(this.#uncounted.get(sessionId) ?? NO_USAGE, all));
        this.#dependencies.log.log('error', 'session', `Usage was not stored: ${String(error)}`, { sessionId });
      });
  }

  async read(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]> {
    await this.get(sessionId);
    return this.#dependencies.store.readEvents(sessionId, afterSeq, limit);
  }

  async snapshot(sessionId: string, maxItems: number): Promise<SessionState> {
    const { state } = (await this.get(sessionId)).log;
    const omitted = Math.max(0, state.items.length - maxItems);
    return omitted === 0
      ? state
      : { ...state, items: state.items.slice(omitted), omittedItems: state.omittedItems + omitted };
  }

  liveItems(sessionId: string): LiveItem[] {
    return this.#loaded.get(sessionId)?.log.liveItems() ?? [];
  }

  follow(sessionId: string, listener: Listener): Disposable {
    const session = this.#loaded.get(sessionId);
    if (!session) {
      throw new SandpiperError('not_found', `Session ${sessionId} is not loaded.`);
    }
    return session.log.follow(listener);
  }

  followSummaries(listener: (summary: SessionSummary) => void): Disposable {
    this.#summaryListeners.add(listener);
    return disposable(() => this.#summaryListeners.delete(listener));
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return [...this.#loaded.values()].some(
      ({ log }) => log.state.agent.running || log.state.phase.kind === 'preparing',
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#idleTimer);
    await Promise.all([...this.#loaded.values()].map(session => session.close()));
  }

  async #load(sessionId: string): Promise<Session> {
    const log = await SessionLog.load(this.#dependencies.store, sessionId, summary => this.#publish(summary));
    const session = new Session(log, this.#dependencies);
    this.#loaded.set(sessionId, session);
    session.advance();
    return session;
  }

  #publish(summary: SessionSummary): void {
    for (const listener of this.#summaryListeners) {
      listener(summary);
    }
  }
}
