import { createHash } from 'node:crypto';
import type { CallName, CallParams, CallResult } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import { nextAttempt } from '../hooks/attempts.ts';
import { Pump } from '../hooks/pump.ts';
import type { FiringRow, NewFiring, TriggerStore } from '../store/triggerStore.ts';
import { readStart } from './start.ts';

/** A call to this relay, as any client makes it. */
export type TriggerCall = 'session.create' | 'session.get';
export type Call = <N extends Extract<CallName, TriggerCall>>(name: N, params: CallParams<N>) => Promise<CallResult<N>>;

export interface FiringsOptions {
  store: TriggerStore;
  log: Logger;
  call: Call;
  /** How long after its first failure one is tried again. */
  retryMs: number;
}

const ROUND = 100;
const HOUR_MS = 3600_000;
/** Senders deliver again what is at most a few days old. */
const KEPT_MS = 30 * 24 * HOUR_MS;

/**
 * What asked for a session without a person, each stored once and brought to one session: the call that makes it has a key
 * that comes from the firing, so that a repeat after a kill is the same call.
 */
export class Firings {
  readonly #options: FiringsOptions;
  readonly #pump: Pump;
  #prunedAt = 0;
  #closed = false;

  constructor(options: FiringsOptions) {
    this.#options = options;
    this.#pump = new Pump(() => this.#workOff(), options.log);
  }

  get busy(): boolean {
    return this.#pump.busy;
  }

  /** Durable when it resolves. */
  async add(firing: NewFiring, maxPerHour: number): Promise<'added' | 'there' | 'refused'> {
    const added = await this.#options.store.addFiring(firing, {
      since: firing.at - HOUR_MS,
      max: maxPerHour,
      reason: `More than ${maxPerHour} came within an hour.`,
    });
    if (added === 'added') {
      this.#pump.nudge();
    }
    return added;
  }

  /** Takes up what is waiting, after a start too. */
  nudge(): void {
    this.#pump.nudge();
  }

  /** @returns false when there is nothing to try again */
  async retry(key: string): Promise<boolean> {
    const row = await this.#options.store.readFiring(key);
    if (!row || (row.state !== 'dead' && row.state !== 'waiting')) {
      return false;
    }
    await this.#options.store.settleFiring({ ...row, state: 'waiting', attempts: 0, dueAt: Date.now() });
    this.#pump.nudge();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pump.close();
  }

  async #workOff(): Promise<number | undefined> {
    await this.#prune();
    for (;;) {
      const waiting = await this.#options.store.waitingFirings(ROUND);
      const due = waiting.filter(({ dueAt }) => dueAt <= Date.now());
      if (due.length === 0 || this.#closed) {
        return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ dueAt }) => dueAt));
      }
      // One after the other: of two about the same thing the second finds the session of the first.
      for (const row of due) {
        if (!this.#closed) {
          await this.#attempt(row);
        }
      }
    }
  }

  async #attempt(row: FiringRow): Promise<void> {
    const { store, log, call, retryMs } = this.#options;
    const attempts = row.attempts + 1;
    try {
      const open = await this.#openSession(row);
      if (open !== undefined) {
        const reason = `It is worked on already in ${open}.`;
        await store.settleFiring({ ...row, state: 'ignored', sessionId: open, attempts, reason });
        return;
      }
      if (row.data === undefined) {
        throw new SandpiperError('internal', `${row.key} does not say what begins.`);
      }
      const { sessionId } = await call('session.create', { ...readStart(row.data), key: callKey(row.key) });
      log.log('info', 'triggers', 'A session began without a person', {
        trigger: row.trigger,
        key: row.key,
        sessionId,
      });
      await store.settleFiring({ ...row, state: 'begun', sessionId, attempts });
    } catch (error) {
      const next = nextAttempt(error, row.attempts, { now: Date.now(), retryMs });
      log.log('warn', 'triggers', `A session could not begin: ${next.reason}`, { trigger: row.trigger, key: row.key });
      await store.settleFiring({
        ...row,
        state: next.kind === 'retry' ? 'waiting' : 'dead',
        attempts: next.attempts,
        dueAt: next.kind === 'retry' ? next.dueAt : row.dueAt,
        reason: next.reason,
      });
    }
  }

  /** The session about the same thing that is not archived. */
  async #openSession({ key, trigger, subject }: FiringRow): Promise<string | undefined> {
    if (subject === undefined) {
      return undefined;
    }
    for (const other of await this.#options.store.listFirings({ trigger, subject, state: 'begun', limit: 20 })) {
      if (other.key !== key && other.sessionId !== undefined && (await this.#isOpen(other.sessionId))) {
        return other.sessionId;
      }
    }
    return undefined;
  }

  async #isOpen(sessionId: string): Promise<boolean> {
    try {
      return !(await this.#options.call('session.get', { sessionId })).archived;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'not_found') {
        return false;
      }
      throw error;
    }
  }

  async #prune(): Promise<void> {
    const now = Date.now();
    if (now - this.#prunedAt > HOUR_MS) {
      this.#prunedAt = now;
      await this.#options.store.pruneFirings(now - KEPT_MS);
    }
  }
}

function callKey(key: string): string {
  return `trigger-create-${createHash('sha256').update(key).digest('hex').slice(0, 48)}`;
}
