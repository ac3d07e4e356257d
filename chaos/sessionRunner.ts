import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RelayClient } from '../client/relayClient.ts';
import { toSandpiperError } from '../protocol/errors.ts';
import type { SessionState } from '../protocol/session.ts';
import { ClientLog } from './clientLog.ts';
import { composeDeed } from './composeDeed.ts';
import type { Deed } from './deeds.ts';
import type { Entry, Outbox } from './outbox.ts';
import { deedsOf, isDone, nextCalls, nextDeed } from './person.ts';
import { planBranch, type SessionPlan } from './plan.ts';
import { makeCall } from './typedCall.ts';

const CALL_TIMEOUT_MS = 20_000;
const AGAIN_MS = 150;
const PAGE = 500;

export interface RunnerOptions {
  client: RelayClient;
  outbox: Outbox;
  repository: string;
  seed: number;
  plan: SessionPlan;
  /** What begins the session: its making, or the branching off another one. */
  create: Entry;
  folder: string;
  /** The session was branched: another one is there to be taken up. */
  onBranch(entry: Entry, plan: SessionPlan): void;
  onDone(): void;
}

/** The person at one session: follows it, and types what the plan says when it is time. */
export class SessionRunner {
  readonly #options: RunnerOptions;
  readonly #calls: Entry[] = [];
  #sending = false;
  #catchingUp = false;
  #composing = false;
  #log: ClientLog | undefined;
  #following: { dispose(): void } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(): void {
    const { create, outbox } = this.#options;
    const sessionId = sessionBegunBy(create);
    if (sessionId === undefined) {
      this.#calls.push(create);
    } else {
      this.#calls.push(...outbox.entriesOf(sessionId).filter(({ outcome }) => outcome.kind === 'open'));
      this.#follow(sessionId);
    }
    void this.#send();
  }

  #follow(sessionId: string): void {
    const { client, folder } = this.#options;
    const log = new ClientLog(logFile(folder, sessionId), sessionId);
    this.#log = log;
    this.#following = client.follow(sessionId, (mirror, change) => {
      // What was missed is asked for: a snapshot tells what the session is, not what happened.
      const whole = change.kind !== 'events' || log.take(change.events);
      if (!whole || (mirror.state && mirror.state.seq > log.seq)) {
        void this.#catchUp(log);
      } else {
        this.#decide();
      }
    });
  }

  async #catchUp(log: ClientLog): Promise<void> {
    if (this.#catchingUp) {
      return;
    }
    this.#catchingUp = true;
    await catchUp(this.#options.client, log);
    this.#catchingUp = false;
    this.#decide();
  }

  #decide(): void {
    const { plan, outbox } = this.#options;
    const state = this.#log?.state;
    if (!state || this.#catchingUp || !this.#following) {
      return;
    }
    const done = deedsOf(outbox.entriesOf(state.id), deed => outbox.isSkipped(state.id, deed), plan);
    const calls = nextCalls(state, plan, done);
    this.#calls.push(...calls.map(call => outbox.type(call)));
    void this.#send();
    if (calls.length > 0 || this.#calls.length > 0 || this.#composing) {
      return;
    }
    const deed = nextDeed(state, plan, done);
    if (deed) {
      void this.#compose(state, deed);
    } else if (isDone(state, plan, done)) {
      outbox.write({ kind: 'done', sessionId: state.id });
      const following = this.#following;
      this.#following = undefined;
      setImmediate(() => following.dispose());
      this.#options.onDone();
    }
  }

  /** Looks at the session, decides what the deed is there, and types it. */
  async #compose(state: SessionState, deed: Deed): Promise<void> {
    const { client, outbox, plan, seed } = this.#options;
    this.#composing = true;
    const branch = planBranch(seed, plan, deed.number);
    const call = await untilAnswered(() => composeDeed(client, state, deed, branch));
    this.#composing = false;
    if (call) {
      this.#calls.push(outbox.type(call));
      void this.#send();
    } else {
      outbox.write({ kind: 'skipped', sessionId: state.id, deed: deed.number });
      this.#decide();
    }
  }

  /** One call after the other: the order of typing is the order of the log. */
  async #send(): Promise<void> {
    if (this.#sending || this.#calls.length === 0) {
      return;
    }
    this.#sending = true;
    for (let entry = this.#calls[0]; entry; entry = this.#calls[0]) {
      await this.#deliver(entry);
      this.#calls.shift();
      this.#begin(entry);
    }
    this.#sending = false;
    this.#decide();
  }

  #begin(entry: Entry): void {
    const { create, seed, plan } = this.#options;
    const sessionId = sessionBegunBy(entry);
    if (sessionId !== undefined && entry.key === create.key) {
      this.#follow(sessionId);
    } else if (sessionId !== undefined && entry.typed.call === 'checkpoint.branch') {
      this.#options.onBranch(entry, planBranch(seed, plan, entry.typed.deed));
    }
  }

  /** Until there is an answer. */
  async #deliver({ key, typed }: Entry): Promise<void> {
    const { client, outbox } = this.#options;
    try {
      const answer = await untilAnswered(() => makeCall(client, { key, typed }, this.#options, CALL_TIMEOUT_MS));
      outbox.write({ kind: 'acknowledged', key, answer });
    } catch (thrown) {
      const { code, message } = toSandpiperError(thrown);
      outbox.write({ kind: 'refused', key, code, message });
    }
  }
}

/** The session that a call began, once the relay has said so. */
export function sessionBegunBy({ typed, outcome }: Entry): string | undefined {
  const begins = typed.call === 'session.create' || typed.call === 'checkpoint.branch';
  return begins && outcome.kind === 'acknowledged' ? outcome.answer.sessionId : undefined;
}

/** Reads a log on to its end, page by page. */
export async function catchUp(client: RelayClient, log: ClientLog): Promise<void> {
  for (;;) {
    const { events, lastSeq } = await untilAnswered(() =>
      client.call(
        'session.events',
        { sessionId: log.sessionId, after: log.seq, limit: PAGE },
        { timeoutMs: CALL_TIMEOUT_MS },
      ),
    );
    if (!log.take(events)) {
      throw new Error(`The relay left out events of ${log.sessionId} after ${log.seq}.`);
    }
    if (log.seq >= lastSeq) {
      return;
    }
  }
}

/** Until the relay answers, with what it answers. @throws what it refuses */
async function untilAnswered<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (!error.retryable && error.code !== 'disconnected' && error.code !== 'timeout') {
        throw thrown;
      }
      await sleep(AGAIN_MS);
    }
  }
}

export function makeLogFolder(folder: string): void {
  mkdirSync(logFolder(folder), { recursive: true });
}

function logFolder(folder: string): string {
  return join(folder, 'logs');
}

/** Where a client keeps its copy of a session's log. */
export function logFile(folder: string, sessionId: string): string {
  return join(logFolder(folder), `${sessionId}.jsonl`);
}
