import * as z from 'zod';
import { commitSchema, failureSchema } from './eventParts.ts';
import { changeStatsSchema, reviewCountsSchema } from './review.ts';

/* How what the base branch has since comes into a session. */

/** A part of `eventBodySchema`. */
export const baseEvents = [
  z
    .object({
      type: z.literal('baseUpdateStarted'),
      commit: commitSchema.describe('What the base branch is at'),
      branch: z.string().describe('The base branch of the pull request'),
      by: z.string(),
    })
    .describe('What the base branch has since is to be merged into the session'),
  z
    .object({
      type: z.literal('baseUpdated'),
      update: z.int().positive().describe('The seq of its start'),
      base: commitSchema.describe('What the session’s changes are compared with from now on'),
      accepted: commitSchema,
      checkpoint: commitSchema.describe('The agent’s files now; the next turn starts from it'),
      proposed: commitSchema,
      stats: changeStatsSchema,
      review: reviewCountsSchema,
    })
    .describe('Both trees of the review have it, so that it is no change to review; what was decided stays'),
  z
    .object({ type: z.literal('baseUpdateFailed'), update: z.int().positive(), failure: failureSchema })
    .describe('Everything is as it was before'),
] as const;

/** An update from the base branch that is under way. */
export interface Updating {
  /** Its name. */
  seq: number;
  since: number;
  commit: string;
  branch: string;
  by: string;
}
