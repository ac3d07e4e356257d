import * as z from 'zod';
import { blamedSchema } from './blame.ts';
import { empty, ofSession, withKey } from './callParts.ts';
import { messageIdSchema } from './events.ts';
import {
  commentIdSchema,
  commentPlaceSchema,
  commentTextSchema,
  itemAnswerSchema,
  lineRangeSchema,
} from './feedback.ts';
import { objectIdSchema } from './review.ts';

const path = z.string().min(1).max(4096);
const seq = z.int();

const targetSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('lines'),
      side: z.enum(['accepted', 'proposed']),
      path,
      object: objectIdSchema.describe('The content that the reviewer looked at: `blob` of `changes.file`'),
      lines: lineRangeSchema,
    }),
    z.object({
      kind: z.literal('plan'),
      approvalId: z.string().min(1).max(200),
      lines: lineRangeSchema.optional(),
      quote: z.string().max(4000).default(''),
    }),
    z.object({ kind: z.literal('item'), itemId: z.string().min(1).max(200), quote: z.string().max(4000).default('') }),
  ])
  .meta({ id: 'CommentTarget' });

/** The calls of comments and submitted reviews, a part of `calls`. */
export const feedbackCalls = {
  'review.comments': {
    summary: 'Every comment, and where its lines are now',
    mutates: false,
    params: z.object(ofSession),
    result: z.object({
      comments: z.array(
        z.object({
          id: commentIdSchema,
          at: z.number(),
          by: z.string(),
          place: commentPlaceSchema,
          now: lineRangeSchema
            .nullable()
            .describe(
              'The lines in the file of the same side as it is now; null when they are gone, or it is on no file',
            ),
          text: z.string(),
          state: z.enum(['draft', 'submitted', 'addressed', 'declined', 'outdated', 'changed', 'unanswered']),
          outdated: z.boolean().describe('Its lines are not there any more'),
          label: z.string().optional(),
          answer: itemAnswerSchema.extend({ turn: z.int().positive() }).optional(),
          resolved: z.boolean(),
        }),
      ),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/comments' },
  },
  'review.comment': {
    summary: 'Write a comment as a draft: it is kept until it is submitted or deleted',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, target: targetSchema, text: commentTextSchema }),
    result: z.object({ commentId: commentIdSchema, seq }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/comments' },
  },
  'review.editComment': {
    summary: 'Give a draft another text',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, commentId: commentIdSchema, text: commentTextSchema }),
    result: z.object({ seq }),
    rest: { method: 'patch', path: '/v1/sessions/{sessionId}/comments/{commentId}' },
  },
  'review.deleteComment': {
    summary: 'Delete a draft',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, commentId: commentIdSchema }),
    result: empty,
    rest: { method: 'delete', path: '/v1/sessions/{sessionId}/comments/{commentId}' },
  },
  'review.resolveComment': {
    summary: 'Mark a submitted comment as settled, or open it again',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, commentId: commentIdSchema, resolved: z.boolean().default(true) }),
    result: z.object({ seq }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/comments/{commentId}/resolution' },
  },
  'review.blame': {
    summary: 'Where lines of a file come from: which turn, prompt and tool call, or which reviewer',
    mutates: false,
    params: z.object({
      ...ofSession,
      side: z.enum(['accepted', 'proposed']).default('proposed'),
      path,
      lines: lineRangeSchema.extend({ count: z.int().positive().max(5000) }),
    }),
    result: z.object({ lines: z.array(blamedSchema) }),
  },
  'review.submit': {
    summary: 'Hand the agent what was rejected, edited and commented since the last time, as one message',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      text: z.string().max(4000).default('').describe('What the reviewer says besides'),
    }),
    result: z.object({
      submission: z.int().positive(),
      messageId: messageIdSchema,
      comments: z.int().nonnegative(),
      rejections: z.int().nonnegative(),
      edits: z.int().nonnegative(),
      seq,
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/review/submissions' },
  },
} as const;
