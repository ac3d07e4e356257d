import type { z } from 'zod';
import { namedHookSchema, type NamedHook } from '../../../protocol/triggerCalls.ts';

/** A webhook of its own as it is kept. `madeBy` is the key of the call that added it. */
export const hookDefinitionSchema = namedHookSchema
  .omit({ path: true })
  .extend({ madeBy: namedHookSchema.shape.source });
export type HookDefinition = z.infer<typeof hookDefinitionSchema>;

export function toNamedHook({ madeBy: _madeBy, ...hook }: HookDefinition): NamedHook {
  const secret = hook.kind === 'glitchtip' ? '/<secret>' : '';
  return { ...hook, path: `/webhooks/${hook.kind}/${hook.name}${secret}` };
}
