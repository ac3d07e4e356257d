import type { Logger } from '../core/log.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { Store } from '../store/store.ts';
import { Definitions } from './definitions.ts';
import { Firings, type Call } from './firings.ts';
import { hookDefinitionSchema, type HookDefinition } from './hookDefinition.ts';
import { HookDoor } from './hookDoor.ts';
import { toSignedSecret } from './standardWebhook.ts';
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

/** Sessions that begin without a person and without a forge: webhooks of their own. */
export class Triggers {
  /** Where HTTP hands webhooks to. */
  readonly door: HookDoor;
  readonly handlers: TriggerHandlers;
  readonly #firings: Firings;

  private constructor(firings: Firings, door: HookDoor, handlers: TriggerHandlers) {
    this.#firings = firings;
    this.door = door;
    this.handlers = handlers;
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
    const names = hooks.list().map(({ name }) => name);
    const secrets = await TriggerSecrets.open(dataFolder, names, (name, secret) => {
      onSecret(`hook ${name}`, secret);
      onSecret(`hook ${name} as it is sent`, secret === undefined ? undefined : toSignedSecret(secret));
    });
    const firings = new Firings({ store: store.triggers, log, call, retryMs });
    const door = new HookDoor({ hooks, secrets, firings });
    return new Triggers(firings, door, triggerHandlers({ store, idempotency, secrets, hooks, firings }));
  }

  /** Whether something is being done at this moment. */
  get busy(): boolean {
    return this.#firings.busy;
  }

  /** Takes up what an earlier relay left. */
  start(): void {
    this.#firings.nudge();
  }

  async close(): Promise<void> {
    await this.#firings.close();
  }
}
