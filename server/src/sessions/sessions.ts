import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, LiveItem, SessionEvent, Usage } from '../../../protocol/events.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import { snapshotOf } from '../../../protocol/snapshot.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { addUsage, NO_USAGE } from '../../../protocol/usage.ts';
import { durationText } from '../core/duration.ts';
import { disposable, type Disposable } from '../core/disposable.ts';
import type { CallRecord, SessionRow } from '../store/store.ts';
import { isUnderWay, mayRelease } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { EventSource } from './eventSource.ts';
import type { Runtime } from './runtime.ts';
import { deleteSession, type Deleted, type DeleteRequest } from './deleteSession.ts';
import { restoreSession } from './restoreSession.ts';
import { Session } from './session.ts';
import { Redactor } from '../redaction/redactor.ts';
import { SessionLog, type Listener } from './sessionLog.ts';
import { Watch } from './watch.ts';

/** Usage waits this long for the event that it led to, so that both are one commit. A kill in this time loses it. */
const USAGE_DELAY_MS = 100;
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
  readonly #watch: Watch;
  readonly #summaryListeners = new Set<(summary: SessionSummary) => void>();
  readonly #removalListeners = new Set<(sessionId: string) => void>();
  /** What is being deleted, for those who ask again. */
  readonly #deletions = new Map<string, Promise<Deleted>>();
  readonly #restorations = new Map<string, Promise<number>>();
  #wholeChanges = 0;
  #closed = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#watch = new Watch(dependencies, summary => this.#tell(summary));
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
      redactor: this.#redactor(),
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
        const session = await this.get(sessionId);
        session.advance();
        if (session.log.runtime.deleting) {
          this.#goOnDeleting(sessionId);
        }
      } catch (error) {
        this.#dependencies.log.log('error', 'session', `Session ${sessionId} could not be taken up: ${String(error)}`);
      }
    }
    return open.length;
  }

  #goOnDeleting(sessionId: string): void {
    this.delete(sessionId).catch((error: unknown) =>
      this.#dependencies.log.log('error', 'session', `A deletion could not be ended: ${String(error)}`, { sessionId }),
    );
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
          .releaseAgent(idleMs, now, `after ${durationText(now - session.log.state.updatedAt)} without work`)
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
      ?.record(
        (_state, runtime) => ({ events: [], runtime: { turnUsage: addUsage(runtime.turnUsage, all) } }),
        USAGE_DELAY_MS,
      )
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
    return snapshotOf((await this.get(sessionId)).log.state, maxItems);
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

  followRemovals(listener: (sessionId: string) => void): Disposable {
    this.#removalListeners.add(listener);
    return disposable(() => this.#removalListeners.delete(listener));
  }

  followSpecs(listener: (spec: SpecDocument) => void): Disposable {
    return this.#dependencies.specNews.follow(listener);
  }

  followSummaries(listener: (summary: SessionSummary) => void): Disposable {
    this.#summaryListeners.add(listener);
    return disposable(() => this.#summaryListeners.delete(listener));
  }

  /**
   * Deletes a session, or waits for its deletion that is under way.
   * @param request undefined goes on with what a killed relay had begun
   * @throws not_found, and why it was not deleted
   */
  delete(sessionId: string, request?: DeleteRequest): Promise<Deleted> {
    const known = this.#deletions.get(sessionId);
    if (known) {
      return known;
    }
    const deletion = this.#delete(sessionId, request).finally(() => {
      this.#wholeChanges++;
      this.#deletions.delete(sessionId);
    });
    this.#deletions.set(sessionId, deletion);
    return deletion;
  }

  async #delete(sessionId: string, request: DeleteRequest | undefined): Promise<Deleted> {
    const session = await this.get(sessionId);
    const deleted = await deleteSession(this.#dependencies, session, request);
    this.#loaded.delete(sessionId);
    this.#sessions.delete(sessionId);
    this.#askedAt.delete(sessionId);
    this.#uncounted.delete(sessionId);
    await session.close();
    for (const listener of this.#removalListeners) {
      listener(sessionId);
    }
    this.#dependencies.log.log('info', 'session', 'A session was deleted', { sessionId });
    return deleted;
  }

  /** Counts deletions and restorations; undefined while one is under way. */
  get wholeChanges(): number | undefined {
    return this.#deletions.size + this.#restorations.size > 0 ? undefined : this.#wholeChanges;
  }

  /** Whether this session is being deleted or restored. */
  isChanging(sessionId: string): boolean {
    return this.#deletions.has(sessionId) || this.#restorations.has(sessionId);
  }

  /** Brings a deleted session back. @returns the last seq of its log */
  restore(sessionId: string, call: (seq: number) => CallRecord): Promise<number> {
    const known = this.#restorations.get(sessionId);
    if (known) {
      return known;
    }
    const restoration = this.#restore(sessionId, call).finally(() => {
      this.#wholeChanges++;
      this.#restorations.delete(sessionId);
    });
    this.#restorations.set(sessionId, restoration);
    return restoration;
  }

  async #restore(sessionId: string, call: (seq: number) => CallRecord): Promise<number> {
    const seq = await restoreSession(this.#dependencies, sessionId, call);
    this.#dependencies.log.log('info', 'session', 'A session was restored', { sessionId });
    await this.announce(sessionId);
    return seq;
  }

  /** Takes up a session that was put into the store, and tells everybody of it. */
  async announce(sessionId: string): Promise<void> {
    this.#publish(summarize((await this.get(sessionId)).log.state));
  }

  /** Has the agents that run in these sessions started again before their next message: what they were started with has changed. */
  async outdate(fits: (state: SessionState) => boolean): Promise<void> {
    for (const session of this.#loaded.values()) {
      const { agent } = session.log.state;
      if (agent.running && fits(session.log.state)) {
        await session.record(state => ({ events: [], runtime: { outdated: state.agent.segment } }));
      }
    }
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    if (this.#deletions.size > 0 || this.#restorations.size > 0) {
      return true;
    }
    return [...this.#loaded.values()].some(
      ({ log: { state } }) => state.agent.running || state.phase.kind === 'preparing' || state.moving !== undefined,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#idleTimer);
    await Promise.allSettled([...this.#deletions.values(), ...this.#restorations.values()]);
    this.#watch.close();
    await Promise.all([...this.#loaded.values()].map(session => session.close()));
  }

  async #load(sessionId: string): Promise<Session> {
    const { store } = this.#dependencies;
    const log = await SessionLog.load(store, sessionId, summary => this.#publish(summary), this.#redactor());
    const session = new Session(log, this.#dependencies);
    this.#loaded.set(sessionId, session);
    this.#watch.consider(session);
    session.advance();
    return session;
  }

  #redactor(): Redactor {
    return new Redactor(this.#dependencies.secrets, this.#dependencies.log);
  }

  /** A row with what the log does not say. */
  seen(summary: SessionSummary): SessionSummary {
    return this.#watch.seen(summary);
  }

  #publish(summary: SessionSummary): void {
    const session = this.#loaded.get(summary.id);
    if (session) {
      this.#watch.consider(session);
    }
    this.#tell(summary);
  }

  #tell(summary: SessionSummary): void {
    for (const listener of this.#summaryListeners) {
      listener(summary);
    }
  }
}
