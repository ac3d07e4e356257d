import * as z from 'zod';
import { idPattern } from './ids.ts';
import { objectIdSchema } from './review.ts';

/*
 * What a reviewer says to the agent: comments on lines, on a plan or on a row of the chat, and submissions that hand them
 * over together with what was rejected and edited. Schemas that both events and calls use.
 */

const path = z.string().min(1).max(4096);

export const commentIdSchema = z.string().regex(idPattern('cmt')).meta({ id: 'CommentId' });
export const commentTextSchema = z.string().trim().min(1).max(8000);

export const lineRangeSchema = z
  .object({
    start: z.int().nonnegative().describe('The first line, counted from 0'),
    count: z.int().positive().max(100_000),
  })
  .meta({ id: 'LineRange' });
export type LineRange = z.infer<typeof lineRangeSchema>;

const quote = z.string().max(4000).describe('What it is about, as it was: the first 4000 characters');

export const commentPlaceSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('lines'),
      side: z.enum(['accepted', 'proposed']),
      path,
      object: objectIdSchema.describe('The content that the lines are counted in'),
      lines: lineRangeSchema,
      quote,
    }),
    z.object({
      kind: z.literal('plan'),
      approvalId: z.string().min(1).max(200),
      lines: lineRangeSchema.optional().describe('Of the plan’s text, which does not change'),
      quote,
    }),
    z.object({ kind: z.literal('item'), itemId: z.string().min(1).max(200), quote }),
  ])
  .meta({ id: 'CommentPlace' });
export type CommentPlace = z.infer<typeof commentPlaceSchema>;

export const itemOutcomeSchema = z.enum(['addressed', 'declined', 'outdated', 'changed', 'unanswered']).meta({
  id: 'ItemOutcome',
  description:
    'The first three are the agent’s own words. `changed`: it said nothing, but the lines are others now. `unanswered`: it said nothing',
});
export type ItemOutcome = z.infer<typeof itemOutcomeSchema>;

export const evidenceSchema = z
  .enum(['lines', 'file', 'none'])
  .meta({ id: 'Evidence', description: 'What the turn changed of it: these lines, the file elsewhere, neither' });
export type Evidence = z.infer<typeof evidenceSchema>;

const label = z
  .string()
  .regex(/^[CRE][1-9]\d{0,5}$/)
  .describe('Its name in the text to the agent, unique in the session');

/** One thing of a submission that the agent is asked to answer for. */
export const submittedItemSchema = z
  .object({
    label,
    kind: z.enum(['comment', 'rejection', 'edit']),
    commentId: commentIdSchema.optional(),
    path: path.optional(),
    hunks: z.int().nonnegative().optional(),
    reason: z.string().max(2000).optional(),
  })
  .meta({ id: 'SubmittedItem' });
export type SubmittedItem = z.infer<typeof submittedItemSchema>;

export const itemAnswerSchema = z
  .object({
    label,
    outcome: itemOutcomeSchema,
    text: z.string().max(2000).optional().describe('The agent’s reason or remark'),
    evidence: evidenceSchema.optional().describe('Absent where it is not about lines of a file'),
  })
  .meta({ id: 'ItemAnswer' });
export type ItemAnswer = z.infer<typeof itemAnswerSchema>;
