import type { IncomingHttpHeaders } from 'node:http';
import { SandpiperError } from '../../../protocol/errors.ts';
import { parseBounded } from './boundedJson.ts';
import type { Definitions } from './definitions.ts';
import type { Firings } from './firings.ts';
import { hookPrompt, hookTitle } from './hookPrompt.ts';
import type { HookDefinition } from './hookDefinition.ts';
import { isSignedBy, notSigned, readSignedHeaders } from './standardWebhook.ts';
import { writeStart } from './start.ts';
import type { TriggerSecrets } from './triggerSecrets.ts';

export interface HookDoorOptions {
  hooks: Pick<Definitions<HookDefinition>, 'find'>;
  secrets: Pick<TriggerSecrets, 'get'>;
  firings: Pick<Firings, 'add'>;
}

/** Where webhooks of their own come in: checked, stored once by their id, answered; what follows is done after that. */
export class HookDoor {
  readonly #options: HookDoorOptions;

  constructor(options: HookDoorOptions) {
    this.#options = options;
  }

  /** Refuses before the body is read what cannot be right. @throws `unknown_call`, `unauthorized`, `invalid_request` */
  check(kind: string, name: string, headers: IncomingHttpHeaders): void {
    this.#find(kind, name);
    readSignedHeaders(headers, Date.now());
  }

  /**
   * Durable when it resolves.
   * @returns whether it is the first time that this delivery came
   * @throws `unauthorized`, `invalid_request`; `unavailable` when too many came within an hour, which is recorded
   */
  async receive(kind: string, name: string, headers: IncomingHttpHeaders, body: Buffer): Promise<boolean> {
    const { hook, secret } = this.#find(kind, name);
    const now = Date.now();
    const signed = readSignedHeaders(headers, now);
    if (!isSignedBy(secret, signed, body)) {
      throw notSigned('The signature of the webhook is wrong.');
    }
    const key = `hook ${name} ${signed.id}`;
    const payload = parseBounded(body.toString('utf8'));
    const { text, unknown } = hookPrompt(key, name, hook.prompt, payload);
    const added = await this.#options.firings.add(
      {
        key,
        trigger: triggerOfHook(name),
        at: now,
        dueAt: now,
        ...(unknown.length === 0 ? {} : { reason: `The webhook has no ${unknown.join(', ')}.`.slice(0, 500) }),
        data: writeStart(hook, { prompt: text, title: hookTitle(name, hook.title, payload) }),
      },
      hook.maxPerHour,
    );
    if (added === 'refused') {
      throw new SandpiperError('unavailable', `More than ${hook.maxPerHour} came within an hour: nothing begins.`, {
        hint: 'It is recorded. Send it again later, or allow more with `sandpiper hooks add --per-hour`.',
      });
    }
    return added === 'added';
  }

  #find(kind: string, name: string): { hook: HookDefinition; secret: string } {
    const hook = this.#options.hooks.find(name);
    const secret = this.#options.secrets.get(name);
    if (hook?.kind !== kind || secret === undefined) {
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
