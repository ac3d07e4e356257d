import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createRelayClient, type RelayClient } from '../client/relayClient.ts';
import { createWsSocket } from '../client/wsSocket.ts';
import { ClientLog } from './clientLog.ts';
import { Outbox, type Entry } from './outbox.ts';
import { planBranch, planSession, type SessionPlan } from './plan.ts';
import { catchUp, logFile, makeLogFolder, sessionBegunBy, SessionRunner } from './sessionRunner.ts';

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
  readonly #open = new Set<string>();
  #begun = 0;
  #draining = false;

  constructor(folder: string, settings: ClientSettings) {
    this.#folder = folder;
    this.#settings = settings;
    makeLogFolder(folder);
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
    for (const { entry, plan } of sessionsIn(this.#outbox, this.#settings)) {
      if (entry.typed.call === 'session.create') {
        this.#begun = Math.max(this.#begun, entry.typed.index + 1);
      }
      // One that branches off is begun by the session that it branches off from.
      const sessionId = sessionBegunBy(entry);
      if (sessionId === undefined ? entry.typed.call === 'session.create' : !this.#outbox.isDone(sessionId)) {
        this.#takeUp(entry, plan);
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
      const index = this.#begun++;
      this.#takeUp(
        this.#outbox.type({ call: 'session.create', index }),
        planSession(this.#settings.seed, index, this.#settings),
      );
    }
    if (this.#draining && this.#open.size === 0) {
      report('drained');
    }
  }

  #takeUp(create: Entry, plan: SessionPlan): void {
    const { seed, repository } = this.#settings;
    this.#open.add(create.key);
    new SessionRunner({
      client: this.#client,
      outbox: this.#outbox,
      repository,
      seed,
      plan,
      create,
      folder: this.#folder,
      onBranch: (entry, branch) => this.#takeUp(entry, branch),
      onDone: () => {
        this.#open.delete(create.key);
        this.#beginMore();
      },
    }).start();
  }

  /** Reads to the end of every log, so that the copies can be compared. */
  async #finish(): Promise<void> {
    for (const entry of this.#outbox.entries) {
      const sessionId = sessionBegunBy(entry);
      if (sessionId !== undefined) {
        await catchUp(this.#client, new ClientLog(logFile(this.#folder, sessionId), sessionId));
      }
    }
    this.#client.dispose();
    this.#outbox.close();
    report('finished');
    process.disconnect();
  }
}

function report(text: ClientReport): void {
  process.send?.(text);
}

/** What began or would begin a session, with its plan, in the order of typing. */
export function sessionsIn(
  outbox: Pick<Outbox, 'entries'>,
  settings: ClientSettings,
): { entry: Entry; plan: SessionPlan; origin?: string }[] {
  const plans = new Map<string | undefined, SessionPlan>();
  const found: { entry: Entry; plan: SessionPlan; origin?: string }[] = [];
  for (const entry of outbox.entries) {
    const { typed } = entry;
    if (typed.call === 'session.create') {
      const plan = planSession(settings.seed, typed.index, settings);
      plans.set(sessionBegunBy(entry), plan);
      found.push({ entry, plan });
    } else if (typed.call === 'checkpoint.branch') {
      const origin = plans.get(typed.sessionId);
      if (origin) {
        found.push({ entry, plan: planBranch(settings.seed, origin, typed.deed), origin: typed.sessionId });
      }
    }
  }
  return found;
}
