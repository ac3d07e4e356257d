import type { SessionSummary } from '../../../protocol/session.ts';
import type { RequestRow } from '../store/hookStore.ts';
import { nextAttempt } from './attempts.ts';
import { begin, type Progress } from './begin.ts';
import type { HookContext } from './context.ts';
import { finish, watchTurn } from './finish.ts';
import { Pump } from './pump.ts';
import { readRequestData, type RequestData } from './requestData.ts';

/** A request that waits for a session is looked at this often even if it hears nothing. */
const LOOK_AGAIN_MS = 30_000;

/**
 * What was asked for on forges, taken a step at a time. Each step may be repeated and is written down before the next, so
 * that a kill at any moment costs a repeat and nothing is done or said twice.
 */
export class Requests {
  readonly #context: HookContext;
  readonly #retryMs: number;
  readonly #pump: Pump;
  /** The sessions that open requests wait for. */
  #awaited = new Set<string>();
  /** What they were doing when they were last heard of. */
  readonly #phases = new Map<string, string>();
  #closed = false;

  constructor(context: HookContext, retryMs: number) {
    this.#context = context;
    this.#retryMs = retryMs;
    this.#pump = new Pump(() => this.#round(), context.log);
  }

  get busy(): boolean {
    return this.#pump.busy;
  }

  nudge(): void {
    this.#pump.nudge();
  }

  /** A row of the list of sessions is another one now. */
  sessionChanged({ id, phase, archived }: Pick<SessionSummary, 'id' | 'phase' | 'archived'>): void {
    const now = archived ? 'archived' : phase;
    if (this.#awaited.has(id) && this.#phases.get(id) !== now) {
      this.#phases.set(id, now);
      this.#pump.nudge();
    }
  }

  /** @returns false when it is done */
  async retry(key: string): Promise<boolean> {
    const row = await this.#context.store.readRequest(key);
    if (!row || row.state === 'done') {
      return false;
    }
    await this.#write({ ...row, state: 'open', attempts: 0, dueAt: Date.now(), reason: undefined });
    this.#pump.nudge();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pump.close();
  }

  async #round(): Promise<number | undefined> {
    const rows = await this.#context.store.openRequests();
    const notBegun = new Set<string>();
    const waits: number[] = [];
    const awaited = new Set<string>();
    for (const row of rows) {
      if (this.#closed) {
        return undefined;
      }
      const { stage } = readRequestData(row.data);
      // What is said about one issue or pull request begins in the order in which it was said.
      if (stage === 'accepted' && notBegun.has(row.subject)) {
        continue;
      }
      const left = row.dueAt > Date.now() ? row : await this.#takeSteps(row, awaited);
      if (left) {
        // One that failed is due at its time, which may have come already; one that did not waits for a session.
        waits.push(left.attempts > 0 ? left.dueAt : Date.now() + LOOK_AGAIN_MS);
        if (readRequestData(left.data).stage === 'accepted') {
          notBegun.add(left.subject);
        }
      }
    }
    this.#awaited = awaited;
    for (const id of this.#phases.keys()) {
      if (!awaited.has(id)) {
        this.#phases.delete(id);
      }
    }
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  async #await({ sessionId, data }: RequestRow, awaited: Set<string>): Promise<void> {
    const { ask } = readRequestData(data);
    const id = sessionId ?? (ask.kind === 'issue' ? undefined : await this.#context.sessionOfPull(ask.pull.url));
    if (id !== undefined) {
      awaited.add(id);
      this.#awaited.add(id);
    }
  }

  /** @returns the row when it is not over yet */
  async #takeSteps(first: RequestRow, awaited: Set<string>): Promise<RequestRow | undefined> {
    let row = first;
    for (;;) {
      // Before the session is looked at: what changes after that is heard of.
      await this.#await(row, awaited);
      const data = readRequestData(row.data);
      let progress: Progress;
      try {
        progress = await this.#step(row, data);
      } catch (error) {
        return this.#failed(row, error);
      }
      if (progress.kind === 'wait') {
        return row;
      }
      const isDone = progress.data.stage === 'done';
      row = {
        ...row,
        state: isDone ? 'done' : 'open',
        sessionId: progress.sessionId ?? row.sessionId,
        attempts: 0,
        reason: progress.data.note === '' ? undefined : progress.data.note,
        data: JSON.stringify(progress.data),
      };
      await this.#write(row);
      if (isDone || this.#closed) {
        return isDone ? undefined : row;
      }
    }
  }

  #step(row: RequestRow, data: RequestData): Promise<Progress> {
    switch (data.stage) {
      case 'accepted':
        return begin(this.#context, row, data);
      case 'working':
        return watchTurn(this.#context, row, data);
      case 'finished':
      case 'done':
        return finish(this.#context, row, data);
    }
  }

  async #failed(row: RequestRow, error: unknown): Promise<RequestRow | undefined> {
    const next = nextAttempt(error, row.attempts, { now: Date.now(), retryMs: this.#retryMs });
    const { attempts, reason } = next;
    this.#context.log.log('warn', 'hooks', `A request failed: ${reason}`, { key: row.key, attempts });
    const left: RequestRow =
      next.kind === 'retry'
        ? { ...row, attempts, reason, dueAt: next.dueAt }
        : { ...row, state: 'dead', attempts, reason };
    await this.#write(left);
    return next.kind === 'retry' ? left : undefined;
  }

  #write({ key, state, sessionId, attempts, dueAt, reason, data }: RequestRow): Promise<void> {
    return this.#context.store.writeRequest({ key, state, sessionId, attempts, dueAt, reason, data });
  }
}
