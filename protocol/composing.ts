import * as z from 'zod';
import { idPattern } from './ids.ts';

/* How a person says what the agent shall do, and with what: the way of a message, and the settings of the agent. */

export const permissionModeSchema = z.enum(['ask', 'acceptEdits', 'plan', 'autopilot']).meta({
  id: 'PermissionMode',
  description: 'What the agent may do without asking: nothing, edit files, only plan, everything',
});
export type PermissionMode = z.infer<typeof permissionModeSchema>;

export const effortSchema = z.enum(['low', 'medium', 'high', 'xhigh', 'max']).meta({
  id: 'Effort',
  description: 'How much the model thinks; a model that does not know a level takes its nearest',
});
export type Effort = z.infer<typeof effortSchema>;

export const modelNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,199}$/)
  .describe('A name or an alias that the agent knows');

export const messageWaySchema = z.enum(['queue', 'steer', 'interrupt']).meta({
  id: 'MessageWay',
  description:
    '`queue`: when the turn that runs has its checkpoint. `steer`: into the turn that runs, at its next step. `interrupt`: the turn that runs is stopped first, and the message comes before all that are queued. Without a turn that runs they are the same',
});
export type MessageWay = z.infer<typeof messageWaySchema>;

const messageId = z.string().regex(idPattern('msg'));
const by = z.string();

/** What a person changes of the agent; null is the agent's own choice. */
export const settingsChangeSchema = z.object({
  model: modelNameSchema.nullable().exactOptional(),
  effort: effortSchema.nullable().exactOptional(),
  permissionMode: permissionModeSchema.exactOptional(),
});
export type SettingsChange = z.infer<typeof settingsChangeSchema>;

/** A part of `eventBodySchema`. */
export const composingEvents = [
  settingsChangeSchema
    .extend({ type: z.literal('settingsChanged'), by })
    .describe(
      'From the next answer of the model on; what the agent cannot change while it works, from the next turn on',
    ),
  z
    .object({ type: z.literal('commandsFound'), commands: z.array(z.string().max(100)).max(500) })
    .describe('What a message to the agent may begin with, after a slash'),
  z.object({ type: z.literal('messageHurried'), messageId, way: z.enum(['steer', 'interrupt']), by }),
  z.object({ type: z.literal('messageWithdrawn'), messageId, by }).describe('It had not been handed over'),
] as const;
