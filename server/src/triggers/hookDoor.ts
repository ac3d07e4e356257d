import { SandpiperError } from '../../../protocol/errors.ts';
import type { Definitions } from './definitions.ts';
import { checkIncoming, deliveryOf, type Incoming } from './deliveryOf.ts';
import type { Firings } from './firings.ts';
import { hookPrompt, hookTitle } from './hookPrompt.ts';
import type { HookDefinition } from './hookDefinition.ts';
import { writeStart } from './start.ts';
import type { TriggerSecrets } from './triggerSecrets.ts';

export interface HookDoorOptions {
  hooks: Pick<Definitions<HookDefinition>, 'find'>;
  secrets: Pick<TriggerSecrets, 'get'>;
  firings: Pick<Firings, 'add'>;
}

/** What comes to a prompt is cut to less than that; events of errors have much beside it. */
const MAX_BYTES = { generic: 256 * 1024, sentry: 2 * 1024 * 1024, glitchtip: 256 * 1024 };

/** Where webhooks of their own come in: checked, stored once by their id, answered; what follows is done after that. */
export class HookDoor {
  readonly #options: HookDoorOptions;

  constructor(options: HookDoorOptions) {
    this.#options = options;
  }

  /**
   * Refuses before the body is read what cannot be right.
   * @returns how large the body may be
   * @throws `unknown_call`, `unauthorized`, `invalid_request`
   */
  check(incoming: Incoming): number {
    const { hook, secret } = this.#find(incoming);
    checkIncoming(hook.kind, secret, incoming, Date.now());
    return MAX_BYTES[hook.kind];
  }

  /**
   * Durable when it resolves.
   * @returns `there`: this delivery came before. `ignored`: it asks for nothing, and is not kept
   * @throws `unauthorized`, `invalid_request`; `unavailable` when too many came within an hour, which is recorded
   */
  async receive(incoming: Incoming, body: Buffer): Promise<'added' | 'there' | 'ignored'> {
    const { hook, secret } = this.#find(incoming);
    const delivery = deliveryOf(hook, secret, incoming, body);
    if (!delivery) {
      return 'ignored';
    }
    const { id, payload, material, subject } = delivery;
    const now = Date.now();
    const key = `hook ${hook.name} ${id}`;
    const { text, unknown } = hookPrompt(key, hook.prompt, payload, material);
    const added = await this.#options.firings.add(
      {
        key,
        trigger: triggerOfHook(hook.name),
        at: now,
        dueAt: now,
        ...(subject === undefined ? {} : { subject }),
        ...(unknown.length === 0 ? {} : { reason: `The webhook has no ${unknown.join(', ')}.`.slice(0, 500) }),
        data: writeStart(hook, { prompt: text, title: hookTitle(hook.title ?? material.title, payload) || hook.name }),
      },
      hook.maxPerHour,
    );
    if (added === 'refused') {
      throw new SandpiperError('unavailable', `More than ${hook.maxPerHour} came within an hour: nothing begins.`, {
        hint: 'It is recorded. Send it again later, or allow more with `sandpiper hooks add --per-hour`.',
      });
    }
    return added;
  }

  #find({ kind, name, pathSecret }: Incoming): { hook: HookDefinition; secret: string } {
    const hook = this.#options.hooks.find(name);
    const secret = this.#options.secrets.get(name);
    if (hook?.kind !== kind || secret === undefined || (pathSecret !== undefined && kind !== 'glitchtip')) {
      throw new SandpiperError('unknown_call', `There is no POST /webhooks/${kind}/${name}.`, {
        hint: 'See `sandpiper hooks named`.',
      });
    }
    return { hook, secret };
  }
}

export function triggerOfHook(name: string): string {
  return `hook ${name}`;
}
