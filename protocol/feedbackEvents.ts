import * as z from 'zod';
import {
  commentIdSchema,
  commentPlaceSchema,
  commentTextSchema,
  itemAnswerSchema,
  submittedItemSchema,
} from './feedback.ts';
import { idPattern } from './ids.ts';
import { changeStatsSchema, objectIdSchema, reviewConflictSchema, reviewCountsSchema } from './review.ts';

const messageId = z.string().regex(idPattern('msg'));
const by = z.string();

/** The events of comments and of submitted reviews, a part of `eventBodySchema`. */
export const feedbackEvents = [
  z
    .object({
      type: z.literal('commentWritten'),
      commentId: commentIdSchema,
      place: commentPlaceSchema,
      text: commentTextSchema,
      by,
    })
    .describe('A draft: the agent hears of it when the review is submitted'),
  z.object({ type: z.literal('commentEdited'), commentId: commentIdSchema, text: commentTextSchema, by }),
  z.object({ type: z.literal('commentDeleted'), commentId: commentIdSchema, by }),
  z.object({ type: z.literal('commentResolved'), commentId: commentIdSchema, resolved: z.boolean(), by }),
  z
    .object({
      type: z.literal('reviewSubmitted'),
      submission: z.int().positive(),
      messageId: messageId.describe('The message that carries it to the agent; queued in the same moment'),
      items: z.array(submittedItemSchema),
      agents: objectIdSchema.describe('The commit with the agent’s files, to which it is compared'),
      proposed: objectIdSchema.describe('The commit with the reviewer’s rejections and edits'),
      omitted: z.int().positive().optional().describe('Files that the text only names, because there are so many'),
      by,
    })
    .describe('Every draft is submitted with it'),
  z
    .object({
      type: z.literal('reviewApplied'),
      submission: z.int().positive(),
      commit: objectIdSchema.describe('What the agent’s files are now; the next turn starts from it'),
      files: z.int().nonnegative().describe('How many were changed'),
      left: z
        .array(z.string())
        .describe('The first 50 files that are not as the reviewer has them: the agent’s own later work stands there'),
      failure: z.string().optional().describe('Why nothing could be changed; the agent is told to do it'),
      proposed: objectIdSchema.optional().describe('Present where it is another commit than `commit`'),
      conflicts: z.array(reviewConflictSchema).optional(),
      stats: changeStatsSchema,
      review: reviewCountsSchema,
    })
    .describe('Rejections and edits of a submission were brought into the agent’s files, before its turn'),
  z
    .object({
      type: z.literal('reviewAnswered'),
      turn: z.int().positive(),
      answers: z.array(itemAnswerSchema).min(1),
    })
    .describe('What became of submitted items in this turn'),
] as const;
