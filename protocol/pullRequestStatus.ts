import * as z from 'zod';

const names = z.array(z.string().max(200)).max(20);

/** How a pull request stands on its forge. */
export const pullRequestStatusSchema = z
  .object({
    checks: z.object({
      state: z
        .enum(['none', 'pending', 'passed', 'failed'])
        .describe('Of the newest commit; `failed` as soon as one is'),
      failed: names,
      pending: names,
    }),
    review: z.enum(['none', 'approved', 'changesRequested']).describe('By the last word of each reviewer'),
    unanswered: z
      .int()
      .nonnegative()
      .describe('Threads of a review whose last word is not Sandpiper’s, on lines that are there'),
    conflicts: z.boolean().optional().describe('With the base; absent while the forge does not know'),
    behind: z.int().nonnegative().optional().describe('Commits of the base that it does not have; absent: not known'),
  })
  .meta({ id: 'PullRequestStatus' });
export type PullRequestStatus = z.infer<typeof pullRequestStatusSchema>;
