import { z } from 'zod';
import { usageSchema } from '../../../protocol/events.ts';

/** Small facts of a session that are not events: what the relay needs to go on after a restart. */
export const runtimeSchema = z.object({
  source: z.string(),
  conversationId: z.uuid().describe("The agent's own id of its conversation"),
  acceptNoIsolation: z.boolean(),
  budgetUsd: z.number().optional(),
  sandbox: z.object({ provider: z.string(), id: z.string() }).optional(),
  cloned: z.boolean(),
  /** Segment whose process is being started, or may be there though its start is not in the log. */
  starting: z.int().positive().optional(),
  /** Segment whose input was ended because it had been idle for long. */
  releasing: z.int().positive().optional(),
  /** What the agent does outside of turns. */
  backgroundTasks: z.int().nonnegative().optional(),
  /** Input files written into the current segment. */
  inputs: z.int().nonnegative(),
  /** What the codec needs to answer each open approval. */
  answerContexts: z.record(z.string(), z.string()),
  /** Spent in the open turn. */
  turnUsage: usageSchema,
  /** The last commit whose push was begun. */
  pushing: z.object({ branch: z.string(), commit: z.string() }).optional(),
  /** The last commit that was pushed, and where. */
  landed: z.object({ branch: z.string(), commit: z.string(), number: z.int().optional() }).optional(),
});
export type Runtime = z.infer<typeof runtimeSchema>;
