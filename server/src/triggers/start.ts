import { z } from 'zod';
import type { CallParams } from '../../../protocol/calls.ts';
import { permissionModeSchema } from '../../../protocol/composing.ts';

/**
 * What a session starts with, as it was decided when it was asked for: what is changed later of the webhook or the schedule
 * does not change it, so that a repeat after a kill is the same call.
 */
const startSchema = z.object({
  source: z.string(),
  base: z.string().optional(),
  prompt: z.string(),
  title: z.string(),
  permissionMode: permissionModeSchema,
  provider: z.string(),
  model: z.string().optional(),
  budgetUsd: z.number().optional(),
});
export type Start = z.infer<typeof startSchema>;

/** What a webhook or a schedule says about its sessions. */
export interface StartsWith {
  source: string;
  base?: string | undefined;
  permissionMode: Start['permissionMode'];
  provider: string;
  model?: string | undefined;
  budgetUsd?: number | undefined;
}

export function writeStart(
  { source, base, permissionMode, provider, model, budgetUsd }: StartsWith,
  { prompt, title }: Pick<Start, 'prompt' | 'title'>,
): string {
  const start: Start = { source, base, prompt, title, permissionMode, provider, model, budgetUsd };
  return JSON.stringify(start);
}

export function readStart(data: string): Omit<CallParams<'session.create'>, 'key'> {
  const { base, model, budgetUsd, ...start } = startSchema.parse(JSON.parse(data));
  return {
    ...start,
    ...(base === undefined ? {} : { base }),
    ...(model === undefined ? {} : { model }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
  };
}
