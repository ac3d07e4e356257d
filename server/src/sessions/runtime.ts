import { z } from 'zod';
import { usageSchema } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { savedSandboxSchema } from '../archives/manifest.ts';

/** A deletion that was asked for and is not done yet. */
export const deletingSchema = z.object({
  id: z.string(),
  at: z.number(),
  force: z.boolean(),
  wasArchived: z.boolean(),
  /** The call that is answered when it is done. */
  call: z.object({ key: z.string(), paramsHash: z.string() }),
});
export type Deleting = z.infer<typeof deletingSchema>;

/** A provider at which a sandbox may be; `id` where it is known. */
const leftSchema = z.object({ provider: z.string(), id: z.string().optional() });
export type Left = z.infer<typeof leftSchema>;

/** `ours`: the session's own part of a commit that merges the work of others; absent when the commit is all ours. */
const pushSchema = z.object({ branch: z.string(), commit: z.string(), ours: z.string().optional() });

/** Small facts of a session that are not events: what the relay needs to go on after a restart. */
export const runtimeSchema = z.object({
  source: z.string(),
  conversationId: z.uuid().describe("The agent's own id of its conversation"),
  acceptNoIsolation: z.boolean(),
  /** As `sessionCreated` says: a recording that nobody works at. */
  sample: z.literal(true).optional(),
  budgetUsd: z.number().optional(),
  sandbox: z.object({ provider: z.string(), id: z.string() }).optional(),
  cloned: z.boolean(),
  /** When the sandbox was made, and when the agent's process was started. */
  sandboxSince: z.number().optional(),
  agentSince: z.number().optional(),
  /** What was in the sandbox that was removed; the next one is made like it. */
  saved: savedSandboxSchema.optional(),
  deleting: deletingSchema.optional(),
  /** Where a sandbox of this session may be that is not its own: written before a move makes one, and when it leaves one. */
  left: z.array(leftSchema).min(1).optional(),
  /** Segment whose process is being started, or may be there though its start is not in the log. */
  starting: z.int().positive().optional(),
  /** Segment whose input was ended because it had been idle for long. */
  releasing: z.int().positive().optional(),
  releaseReason: z.string().optional(),
  /** Segment whose turn a person stopped: nothing of it is left running when the turn is over. */
  stopping: z.int().positive().optional(),
  /** Segment that works with settings that are not the session's any more: it is replaced before the next message. */
  outdated: z.int().positive().optional(),
  /** How many of the inputs only changed settings. */
  settingLines: z.int().nonnegative().optional(),
  /** The sandbox was made again: its home holds a conversation only if one was put back. */
  remade: z.boolean().optional(),
  /** What the agent does outside of turns. */
  backgroundTasks: z.int().nonnegative().optional(),
  /** How far the restore of this seq is: where the files as they were before are kept, once they are. */
  restore: z.object({ seq: z.int().positive(), saved: z.string() }).optional(),
  /** How far the update from the base of this seq is: the files as they were before, once others are to take their place. */
  update: z.object({ seq: z.int().positive(), saved: z.string() }).optional(),
  /** Input files written into the current segment. */
  inputs: z.int().nonnegative(),
  /** What the codec needs to answer each open approval. */
  answerContexts: z.record(z.string(), z.string()),
  /** Spent in the open turn. */
  turnUsage: usageSchema,
  /** The last commit whose push was begun. */
  pushing: pushSchema.optional(),
  /** The last commit that was pushed, and where. */
  landed: pushSchema.extend({ number: z.int().optional() }).optional(),
});
export type Runtime = z.infer<typeof runtimeSchema>;

/** Of a session that has neither sandbox nor agent yet. @param place `source` has no credentials */
export function firstRuntime(
  { acceptNoIsolation, budgetUsd }: Pick<Runtime, 'acceptNoIsolation'> & { budgetUsd?: number | undefined },
  place: Pick<Runtime, 'source' | 'conversationId'>,
): Runtime {
  return {
    ...place,
    acceptNoIsolation,
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    cloned: false,
    inputs: 0,
    answerContexts: {},
    turnUsage: NO_USAGE,
  };
}
