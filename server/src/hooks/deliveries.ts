import type { IncomingHttpHeaders } from 'node:http';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { HookForge } from '../../../protocol/hookCalls.ts';
import { noWebhooks, secretCommand } from '../core/hookConfig.ts';
import type { Logger } from '../core/log.ts';
import type { DeliveryRow, HookStore, NewRequest } from '../store/hookStore.ts';
import { nextAttempt } from './attempts.ts';
import { storedEvent, type HookDialect } from './dialect.ts';
import { Pump } from './pump.ts';

/** What a delivery comes to: nothing, or a request, which a later delivery may have been the first to tell of. */
export type Handled = { kind: 'ignored'; reason: string } | { kind: 'requested'; request: NewRequest };

export interface DeliveriesOptions {
  store: HookStore;
  log: Logger;
  secret: (forge: HookForge) => string | undefined;
  retryMs: number;
  /** Decides what a delivery asks for, by its stored event. May be called again for the same one, after a kill too. */
  handle: (event: string, payload: unknown) => Promise<Handled>;
  /** Something was told that is new, whether or not anything is done about it. Costs nothing. */
  onTold: (payload: unknown) => void;
  /** There are new requests. */
  onRequest: () => void;
}

interface Door {
  readonly open: boolean;
  /** @throws `unauthorized`, `invalid_request` */
  checkHeaders(headers: IncomingHttpHeaders): void;
  /** @throws `unauthorized` when the signature is wrong, `invalid_request` when the body is not JSON */
  receive(headers: IncomingHttpHeaders, body: Buffer): Promise<boolean>;
}

const DELIVERY_ID = /^[0-9a-z-]{8,100}$/i;
const EVENT = /^[a-z0-9_]{1,60}$/;
const LANES_AT_ONCE = 4;
const ROUND = 500;
/** Forges redeliver what is at most a few days old. */
const KEPT_MS = 30 * 24 * 3600_000;
const PRUNE_INTERVAL_MS = 3600_000;

/**
 * What forges tell this relay: checked, stored once by its id, answered, and then worked off in order of arrival. What is
 * about one issue or pull request waits for what came before it; the others do not.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #pump: Pump;
  #prunedAt = 0;
  #closed = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.#pump = new Pump(() => this.#workOff(), options.log);
  }

  get busy(): boolean {
    return this.#pump.busy;
  }

  /** Where the webhooks of one kind of forge come in. */
  door(dialect: HookDialect): Door {
    const secret = () => this.#options.secret(dialect.forge);
    return {
      get open() {
        return secret() !== undefined;
      },
      checkHeaders: headers => checkHeaders(dialect, headers),
      receive: (headers, body) => this.#receive(dialect, headers, body),
    };
  }

  async #receive(dialect: HookDialect, headers: IncomingHttpHeaders, body: Buffer): Promise<boolean> {
    const { forge } = dialect;
    const secret = this.#options.secret(forge);
    if (secret === undefined) {
      throw noWebhooks(forge);
    }
    checkHeaders(dialect, headers);
    if (!dialect.isSigned(headers, body, secret)) {
      throw notSigned(forge, 'The signature of the webhook is wrong.');
    }
    const { id, event } = dialect.delivery(headers);
    const text = body.toString('utf8');
    const payload = parse(text);
    const { reason, ...address } = dialect.addressOf(event, payload);
    const isNew = await this.#options.store.addDelivery({
      id: id.toLowerCase(),
      event: storedEvent(forge, event),
      ...address,
      at: Date.now(),
      ...(reason === undefined ? {} : { reason }),
      body: text,
    });
    if (isNew) {
      this.#options.onTold(payload);
    }
    if (isNew && reason === undefined) {
      this.#pump.nudge();
    }
    return isNew;
  }

  /** Takes up what is waiting, after a start too. */
  nudge(): void {
    this.#pump.nudge();
  }

  /** @returns false when it is done, or was ignored */
  async retry(id: string): Promise<boolean> {
    const delivery = await this.#options.store.readDelivery(id);
    if (!delivery || delivery.state === 'done' || delivery.state === 'ignored') {
      return false;
    }
    await this.#options.store.settleDelivery({ id, state: 'waiting', attempts: 0, dueAt: Date.now() });
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
      const first = firstOfLanes(await this.#options.store.waitingDeliveries(ROUND));
      const now = Date.now();
      const due = first.filter(({ dueAt }) => dueAt <= now).slice(0, LANES_AT_ONCE);
      if (due.length === 0 || this.#closed) {
        return first.length === 0 ? undefined : Math.min(...first.map(({ dueAt }) => dueAt));
      }
      await Promise.all(due.map(delivery => this.#attempt(delivery)));
    }
  }

  async #attempt({ id, event, attempts }: DeliveryRow): Promise<void> {
    const { store, log, retryMs, handle, onRequest } = this.#options;
    const now = Date.now();
    const body = (await store.readDelivery(id))?.body;
    let handled: Handled;
    try {
      handled = await handle(event, JSON.parse(body ?? 'null'));
    } catch (error) {
      const next = nextAttempt(error, attempts, { now, retryMs });
      log.log('warn', 'hooks', `A webhook failed: ${next.reason}`, { id, event, attempts: next.attempts });
      await store.settleDelivery(
        next.kind === 'retry'
          ? { id, state: 'waiting', attempts: next.attempts, dueAt: next.dueAt, reason: next.reason }
          : { id, state: 'dead', attempts: next.attempts, dueAt: now, reason: next.reason },
      );
      return;
    }
    const settled = { id, attempts: attempts + 1, dueAt: now };
    if (handled.kind === 'ignored') {
      await store.settleDelivery({ ...settled, state: 'ignored', reason: handled.reason });
    } else {
      await store.settleDelivery({ ...settled, state: 'done', request: handled.request });
      onRequest();
    }
  }

  async #prune(): Promise<void> {
    const now = Date.now();
    if (now - this.#prunedAt > PRUNE_INTERVAL_MS) {
      this.#prunedAt = now;
      await this.#options.store.pruneDeliveries(now - KEPT_MS);
    }
  }
}

function checkHeaders(dialect: HookDialect, headers: IncomingHttpHeaders): void {
  if (!dialect.looksSigned(headers)) {
    throw notSigned(dialect.forge, 'The webhook is not signed.');
  }
  const { id, event } = dialect.delivery(headers);
  if (!DELIVERY_ID.test(id) || !EVENT.test(event)) {
    throw new SandpiperError('invalid_request', `The webhook has no ${dialect.names}.`);
  }
}

function notSigned(forge: HookForge, message: string): SandpiperError {
  return new SandpiperError('unauthorized', message, {
    hint: `Set the secret of ${secretCommand(forge)} in the settings of the webhook.`,
  });
}

function firstOfLanes(waiting: readonly DeliveryRow[]): DeliveryRow[] {
  const lanes = new Map<string, DeliveryRow>();
  for (const delivery of waiting) {
    if (!lanes.has(delivery.lane)) {
      lanes.set(delivery.lane, delivery);
    }
  }
  return [...lanes.values()];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SandpiperError('invalid_request', `The webhook is not JSON: ${toError(error).message}.`);
  }
}
