import type { CallHandlers } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Firing, triggerCalls } from '../../../protocol/triggerCalls.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { Store } from '../store/store.ts';
import type { FiringRow } from '../store/triggerStore.ts';
import type { Definitions } from './definitions.ts';
import type { Firings } from './firings.ts';
import { toNamedHook, type HookDefinition } from './hookDefinition.ts';
import { toSignedSecret } from '../core/standardWebhook.ts';
import type { TriggerSecrets } from './triggerSecrets.ts';

export type TriggerHandlers = Pick<CallHandlers<CallContext>, keyof typeof triggerCalls>;

export interface TriggerHandlerOptions {
  store: Store;
  idempotency: Idempotency;
  secrets: TriggerSecrets;
  hooks: Definitions<HookDefinition>;
  firings: Pick<Firings, 'retry'>;
}

/** The calls about webhooks of their own. */
export function triggerHandlers(options: TriggerHandlerOptions): TriggerHandlers {
  return { ...hookCallsOf(options), ...firingCallsOf(options) };
}

type HookPart = Pick<TriggerHandlers, 'hooks.add' | 'hooks.named' | 'hooks.rotate' | 'hooks.remove'>;

function hookCallsOf({ store, idempotency, secrets, hooks }: TriggerHandlerOptions): HookPart {
  return {
    // Neither this nor another secret is kept with its call: a secret stands in one place.
    'hooks.add': async ({ key, secret, ...said }) => {
      const known = hooks.find(said.name);
      if (known && known.madeBy !== key) {
        throw new SandpiperError('conflict', `There is a webhook "${said.name}".`, {
          hint: 'Choose another name, or remove it first with `sandpiper hooks remove`.',
        });
      }
      const made = await keepSecret(secrets, said, secret, () => secrets.readOrMake(said.name));
      const hook = known ?? { ...said, at: Date.now(), madeBy: key };
      await hooks.put(hook);
      return { hook: toNamedHook(hook), ...made };
    },
    'hooks.named': () => Promise.resolve({ hooks: hooks.list().map(toNamedHook) }),
    'hooks.rotate': async ({ name, secret }) => {
      const hook = hooks.find(name);
      if (!hook) {
        throw new SandpiperError('not_found', `There is no webhook "${name}".`, {
          hint: 'See `sandpiper hooks named`.',
        });
      }
      const made = await keepSecret(secrets, hook, secret, () => secrets.remake(name));
      return { hook: toNamedHook(hook), ...made };
    },
    'hooks.remove': params =>
      idempotency.once('hooks.remove', params, async record => {
        const removed = hooks.find(params.name) !== undefined;
        await hooks.remove(params.name);
        await secrets.forget(params.name);
        await store.recordCall(record({ removed }));
        return { removed };
      }),
  };
}

/** @returns what the sender is to be told, where it did not make it */
async function keepSecret(
  secrets: TriggerSecrets,
  { name, kind }: Pick<HookDefinition, 'name' | 'kind'>,
  given: string | undefined,
  make: () => Promise<string>,
): Promise<{ secret?: string }> {
  if ((kind === 'sentry') !== (given !== undefined)) {
    const message = kind === 'sentry' ? 'Sentry makes the secret itself.' : 'This relay makes the secret itself.';
    throw new SandpiperError('invalid_params', message, {
      hint: 'Give the client secret of the integration for `sentry`, with --secret-file, and none for other kinds.',
    });
  }
  if (given !== undefined) {
    await secrets.put(name, given);
    return {};
  }
  const secret = await make();
  return { secret: kind === 'generic' ? toSignedSecret(secret) : secret };
}

type FiringPart = Pick<TriggerHandlers, 'triggers.list' | 'triggers.retry'>;

function firingCallsOf({ store, idempotency, firings }: TriggerHandlerOptions): FiringPart {
  return {
    'triggers.list': async ({ trigger, state, limit }) => {
      const rows = await store.triggers.listFirings({
        limit,
        ...(trigger === undefined ? {} : { trigger }),
        ...(state === undefined ? {} : { state }),
      });
      return { firings: rows.map(toFiring) };
    },
    'triggers.retry': params =>
      idempotency.once('triggers.retry', params, async record => {
        const retried = await firings.retry(params.firing);
        await store.recordCall(record({ retried }));
        return { retried };
      }),
  };
}

function toFiring({ key, trigger, at, state, sessionId, attempts, dueAt, reason }: FiringRow): Firing {
  return {
    key,
    trigger,
    at,
    state,
    ...(sessionId === undefined ? {} : { sessionId }),
    attempts,
    dueAt,
    ...(reason === undefined ? {} : { reason }),
  };
}
