import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createRelayClient, type RelayClient } from '../client/relayClient.ts';
import { createWsSocket } from '../client/wsSocket.ts';
import { toSandpiperError } from '../protocol/errors.ts';
import { newId } from '../protocol/ids.ts';
import { ClientLog } from './clientLog.ts';
import { Outbox, type Entry, type TypedCall } from './outbox.ts';
import { isDone, nextCalls } from './person.ts';
import { planSession, type SessionPlan } from './plan.ts';
import { textOf } from './work.ts';

/** What the client is told in the file `settings.json` of its folder. */
export const settingsSchema = z.object({
  url: z.string(),
  token: z.string(),
  seed: z.int(),
  repository: z.string(),
  /** Sessions that are under way at one time. */
  active: z.int(),
  mayAutopilot: z.boolean(),
  longest: z.int(),
});
export type ClientSettings = z.infer<typeof settingsSchema>;

/** What the one who started the client tells it. */
const orderSchema = z.enum(['drain', 'finish']);
export type ClientOrder = z.infer<typeof orderSchema>;
/** What it answers: every session that it began is done; its copies of all logs are complete. */
export type ClientReport = 'drained' | 'finished';

const CALL_TIMEOUT_MS = 20_000;
const AGAIN_MS = 150;
const PAGE = 500;

/** The client of a chaos run, a process of its own that may be killed at any moment. Ends with its parent. */
export async function runChaosClient(folder: string): Promise<void> {
  const settings = settingsSchema.parse(JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')));
  const client = new ChaosClient(folder, settings);
  process.on('disconnect', () => process.exit(0));
  process.on('message', order => client.obey(orderSchema.parse(order)));
  await client.run();
}

class ChaosClient {
  readonly #folder: string;
  readonly #settings: ClientSettings;
  readonly #outbox: Outbox;
  readonly #client: RelayClient;
  readonly #open = new Map<number, SessionRunner>();
  #begun = 0;
  #draining = false;

  constructor(folder: string, settings: ClientSettings) {
    this.#folder = folder;
    this.#settings = settings;
    mkdirSync(logFolder(folder), { recursive: true });
    this.#outbox = new Outbox(join(folder, 'outbox.jsonl'));
    this.#client = createRelayClient({
      client: { name: 'chaos', version: '0' },
      backoff: { firstMs: 20, maxMs: 300 },
      checkMessages: true,
      connect: () => createWsSocket(settings.url, settings.token),
    });
  }

  async run(): Promise<void> {
    this.#client.connect();
    for (const entry of this.#outbox.entries) {
      if (entry.typed.call === 'session.create') {
        this.#begun = Math.max(this.#begun, entry.typed.index + 1);
        const { outcome } = entry;
        if (outcome.kind !== 'acknowledged' || !this.#outbox.isDone(outcome.sessionId ?? '')) {
          this.#takeUp(entry);
        }
      }
    }
    this.#beginMore();
    await new Promise(() => {});
  }

  obey(order: ClientOrder): void {
    if (order === 'drain') {
      this.#draining = true;
      this.#beginMore();
    } else {
      void this.#finish();
    }
  }

  #beginMore(): void {
    while (!this.#draining && this.#open.size < this.#settings.active) {
      const entry = type(this.#outbox, { call: 'session.create', index: this.#begun++ });
      this.#takeUp(entry);
    }
    if (this.#draining && this.#open.size === 0) {
      report('drained');
    }
  }

  #takeUp(create: Entry): void {
    if (create.typed.call !== 'session.create') {
      return;
    }
    const { index } = create.typed;
    const { seed, repository } = this.#settings;
    const runner = new SessionRunner({
      client: this.#client,
      outbox: this.#outbox,
      repository,
      plan: planSession(seed, index, this.#settings),
      create,
      folder: this.#folder,
      onDone: () => {
        this.#open.delete(index);
        this.#beginMore();
      },
    });
    this.#open.set(index, runner);
    runner.start();
  }

  /** Reads to the end of every log, so that the copies can be compared. */
  async #finish(): Promise<void> {
    for (const { outcome } of this.#outbox.entries) {
      if (outcome.kind === 'acknowledged' && outcome.sessionId !== undefined) {
        const { sessionId } = outcome;
        await catchUp(this.#client, new ClientLog(logFile(this.#folder, sessionId), sessionId));
      }
    }
    this.#client.dispose();
    this.#outbox.close();
    report('finished');
    process.disconnect();
  }
}

interface RunnerOptions {
  client: RelayClient;
  outbox: Outbox;
  repository: string;
  plan: SessionPlan;
  create: Entry;
  folder: string;
  onDone(): void;
}

/** The person at one session: follows it, and types what the plan says when it is time. */
class SessionRunner {
  readonly #options: RunnerOptions;
  readonly #calls: Entry[] = [];
  #sending = false;
  #catchingUp = false;
  #log: ClientLog | undefined;
  #following: { dispose(): void } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(): void {
    const { create, outbox } = this.#options;
    if (create.outcome.kind === 'acknowledged' && create.outcome.sessionId !== undefined) {
      const { sessionId } = create.outcome;
      this.#calls.push(
        ...outbox.entries.filter(
          ({ typed, outcome }) =>
            typed.call !== 'session.create' && typed.sessionId === sessionId && outcome.kind === 'open',
        ),
      );
      this.#follow(sessionId);
    } else {
      this.#calls.push(create);
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
    const mine = outbox.entries.flatMap(({ typed }) =>
      typed.call !== 'session.create' && typed.sessionId === state.id ? [typed] : [],
    );
    const calls = nextCalls(state, plan, {
      messages: 1 + mine.filter(({ call }) => call === 'session.send').length,
      answered: new Set(mine.flatMap(typed => (typed.call === 'session.answer' ? [typed.approvalId] : []))),
      retried: new Set(mine.flatMap(typed => (typed.call === 'session.retry' ? [typed.since] : []))),
    });
    this.#calls.push(...calls.map(call => type(outbox, call)));
    void this.#send();
    if (calls.length === 0 && this.#calls.length === 0 && isDone(state, plan)) {
      outbox.write({ kind: 'done', sessionId: state.id });
      const following = this.#following;
      this.#following = undefined;
      setImmediate(() => following.dispose());
      this.#options.onDone();
    }
  }

  /** One call after the other: the order of typing is the order of the log. */
  async #send(): Promise<void> {
    if (this.#sending || this.#calls.length === 0) {
      return;
    }
    this.#sending = true;
    for (let entry = this.#calls[0]; entry; entry = this.#calls[0]) {
      const sessionId = await this.#deliver(entry);
      this.#calls.shift();
      if (sessionId !== undefined) {
        this.#follow(sessionId);
      }
    }
    this.#sending = false;
    this.#decide();
  }

  /** Until there is an answer. Returns the session when this began it. */
  async #deliver({ key, typed }: Entry): Promise<string | undefined> {
    const { outbox } = this.#options;
    for (;;) {
      try {
        const sessionId = await this.#call(key, typed);
        outbox.write({ kind: 'acknowledged', key, ...(sessionId === undefined ? {} : { sessionId }) });
        return sessionId;
      } catch (thrown) {
        const error = toSandpiperError(thrown);
        if (!error.retryable && error.code !== 'disconnected' && error.code !== 'timeout') {
          outbox.write({ kind: 'refused', key, code: error.code, message: error.message });
          return undefined;
        }
        await sleep(AGAIN_MS);
      }
    }
  }

  async #call(key: string, typed: TypedCall): Promise<string | undefined> {
    const { client, plan, repository } = this.#options;
    const options = { timeoutMs: CALL_TIMEOUT_MS };
    switch (typed.call) {
      case 'session.create': {
        const [first] = plan.messages;
        const { sessionId } = await client.call(
          'session.create',
          {
            key,
            source: repository,
            prompt: first ? textOf(first) : '',
            title: `chaos ${plan.index}`,
            permissionMode: plan.permissionMode,
            acceptNoIsolation: true,
          },
          options,
        );
        return sessionId;
      }
      case 'session.send': {
        const { sessionId, text } = typed;
        await client.call('session.send', { key, sessionId, text }, options);
        return undefined;
      }
      case 'session.answer': {
        const { sessionId, approvalId, decision } = typed;
        await client.call('session.answer', { key, sessionId, approvalId, decision }, options);
        return undefined;
      }
      case 'session.retry':
        await client.call('session.retry', { key, sessionId: typed.sessionId }, options);
        return undefined;
    }
  }
}

function type(outbox: Outbox, typed: TypedCall): Entry {
  const entry: Entry = { key: newId('key'), typed, outcome: { kind: 'open' } };
  outbox.write({ kind: 'typed', key: entry.key, typed });
  return entry;
}

/** Reads a log on to its end, page by page. */
async function catchUp(client: RelayClient, log: ClientLog): Promise<void> {
  for (;;) {
    try {
      const { events, lastSeq } = await client.call(
        'session.events',
        { sessionId: log.sessionId, after: log.seq, limit: PAGE },
        { timeoutMs: CALL_TIMEOUT_MS },
      );
      if (!log.take(events)) {
        throw new Error(`The relay left out events of ${log.sessionId} after ${log.seq}.`);
      }
      if (log.seq >= lastSeq) {
        return;
      }
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (!error.retryable && error.code !== 'disconnected' && error.code !== 'timeout') {
        throw thrown;
      }
      await sleep(AGAIN_MS);
    }
  }
}

function report(text: ClientReport): void {
  process.send?.(text);
}

function logFolder(folder: string): string {
  return join(folder, 'logs');
}

/** Where a client keeps its copy of a session's log. */
export function logFile(folder: string, sessionId: string): string {
  return join(logFolder(folder), `${sessionId}.jsonl`);
}
