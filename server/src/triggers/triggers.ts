import type { Logger } from '../core/log.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { Store } from '../store/store.ts';
import { Definitions } from './definitions.ts';
import { Firings, type Call } from './firings.ts';
import { scheduleHandlers, type ScheduleHandlers } from './scheduleHandlers.ts';
import { scheduleDefinitionSchema, Schedules, type ScheduleDefinition } from './schedules.ts';
import { hookDefinitionSchema, type HookDefinition } from './hookDefinition.ts';
import { HookDoor } from './hookDoor.ts';
import { toSignedSecret } from '../core/standardWebhook.ts';
import { triggerHandlers, type TriggerHandlers } from './triggerHandlers.ts';
import { TriggerSecrets } from './triggerSecrets.ts';

export interface TriggersOptions {
  dataFolder: string;
  retryMs: number;
  store: Store;
  idempotency: Idempotency;
  log: Logger;
  call: Call;
  /** Hears of secrets, which must stand in no log. */
  onSecret: (id: string, secret: string | undefined) => void;
}

/** Sessions that begin without a person and without a forge: by webhooks of their own, and at due times. */
export class Triggers {
  /** Where HTTP hands webhooks to. */
  readonly door: HookDoor;
  readonly handlers: TriggerHandlers & ScheduleHandlers;
  readonly #firings: Firings;
  readonly #schedules: Schedules;

  private constructor(parts: {
    firings: Firings;
    schedules: Schedules;
    door: HookDoor;
    handlers: Triggers['handlers'];
  }) {
    this.#firings = parts.firings;
    this.#schedules = parts.schedules;
    this.door = parts.door;
    this.handlers = parts.handlers;
  }

  static async open({
    dataFolder,
    retryMs,
    store,
    idempotency,
    log,
    call,
    onSecret,
  }: TriggersOptions): Promise<Triggers> {
    const hooks: Definitions<HookDefinition> = await Definitions.open(store, 'triggers.hooks', hookDefinitionSchema);
    const names = hooks.list().map(({ name, kind }) => ({ name, given: kind === 'sentry' }));
    const secrets = await TriggerSecrets.open(dataFolder, names, (name, secret) => {
      onSecret(`hook ${name}`, secret);
      onSecret(`hook ${name} as it is sent`, secret === undefined ? undefined : toSignedSecret(secret));
    });
    const firings = new Firings({ store: store.triggers, log, call, retryMs });
    const door = new HookDoor({ hooks, secrets, firings });
    const definitions: Definitions<ScheduleDefinition> = await Definitions.open(
      store,
      'triggers.schedules',
      scheduleDefinitionSchema,
    );
    const schedules = new Schedules({ definitions, store: store.triggers, firings, log });
    const handlers = {
      ...triggerHandlers({ store, idempotency, secrets, hooks, firings }),
      ...scheduleHandlers({ store, idempotency, definitions, schedules }),
    };
    return new Triggers({ firings, schedules, door, handlers });
  }

  /** Whether something is being done at this moment, or will be due without anybody asking. */
  get busy(): boolean {
    return this.#firings.busy || this.#schedules.any;
  }

  /** Takes up what an earlier relay left. */
  start(): void {
    this.#firings.nudge();
    this.#schedules.nudge();
  }

  async close(): Promise<void> {
    await Promise.all([this.#firings.close(), this.#schedules.close()]);
  }
}
