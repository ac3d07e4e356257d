import * as z from 'zod';

/*
 * The review of a session: two trees, and what differs between them is pending. Schemas that both events and calls use.
 */

const path = z.string().min(1).max(4096);
export const objectIdSchema = z
  .string()
  .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
  .meta({ id: 'ObjectId', description: 'The git object id of a file’s content' });

export const hunkSchema = z
  .object({
    id: z
      .string()
      .max(100)
      .describe('Names the lines out and in, not the place: good until this very change is decided'),
    oldStart: z.int().nonnegative().describe('In the accepted file, counted from 0'),
    oldCount: z.int().nonnegative(),
    newStart: z.int().nonnegative().describe('In the proposed file, counted from 0'),
    newCount: z.int().nonnegative(),
  })
  .meta({ id: 'Hunk' });
export type Hunk = z.infer<typeof hunkSchema>;

export const reviewCountsSchema = z
  .object({
    pendingFiles: z.int().nonnegative(),
    pending: z.int().nonnegative().describe('Decisions that are left: each hunk, and each file that has none'),
    reviewed: z
      .int()
      .nonnegative()
      .describe(
        'Decisions that were taken: what is accepted since the base, what was taken out or edited since the checkpoint',
      ),
  })
  .meta({ id: 'ReviewCounts' });
export type ReviewCounts = z.infer<typeof reviewCountsSchema>;

export const changeStatsSchema = z
  .object({ files: z.int().nonnegative(), insertions: z.int().nonnegative(), deletions: z.int().nonnegative() })
  .meta({ id: 'ChangeStats' });
export type ChangeStats = z.infer<typeof changeStatsSchema>;

export const reviewConflictSchema = z
  .object({
    path,
    base: objectIdSchema.optional().describe('Before the turn'),
    ours: objectIdSchema.optional().describe('The reviewer’s, which the proposed tree has'),
    theirs: objectIdSchema.optional().describe('The agent’s'),
  })
  .meta({ id: 'ReviewConflict', description: 'Both the reviewer and a later turn changed these lines' });
export type ReviewConflict = z.infer<typeof reviewConflictSchema>;

export const reviewVerdictSchema = z
  .enum(['accept', 'reject', 'edit', 'resolve', 'undo'])
  .meta({ id: 'ReviewVerdict' });
export type ReviewVerdict = z.infer<typeof reviewVerdictSchema>;

export const decidedFileSchema = z.object({
  path,
  hunks: z.int().nonnegative().optional().describe('How many of its hunks; absent for the whole file'),
});
