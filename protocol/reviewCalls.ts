import * as z from 'zod';
import { fileChangeSchema, ofSession, withKey } from './callParts.ts';
import { commitSchema } from './events.ts';
import { hunkSchema, objectIdSchema, reviewConflictSchema, reviewCountsSchema } from './review.ts';

const path = z.string().min(1).max(4096);
const sides = { accepted: commitSchema, proposed: commitSchema };
const result = z.object({ ...sides, review: reviewCountsSchema, seq: z.int() });
const expected = z
  .object(sides)
  .describe('What the reviewer looked at. When it is another now, only named hunks that are still pending are decided');

/** The calls of a review, a part of `calls`. */
export const reviewCalls = {
  'review.list': {
    summary: 'What is pending, with every hunk that can be decided on its own',
    mutates: false,
    params: z.object(ofSession),
    result: z.object({
      ...sides,
      review: reviewCountsSchema,
      files: z.array(fileChangeSchema.extend({ hunks: z.array(hunkSchema) })),
      conflicts: z.array(reviewConflictSchema),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/review' },
  },
  'review.decide': {
    summary: 'Accept or reject hunks and files; no work file changes, and it can be undone',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      verdict: z.enum(['accept', 'reject']),
      files: z
        .array(
          z.object({
            path,
            hunks: z.array(z.string().max(100)).min(1).max(100_000).optional().describe('Absent: the whole file'),
          }),
        )
        .min(1)
        .max(10_000),
      reason: z.string().trim().min(1).max(2000).optional().describe('Why it is rejected, for the agent'),
      expected,
    }),
    result,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/review/decisions' },
  },
  'review.edit': {
    summary: 'Write the reviewer’s own text into the proposed tree',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      path,
      content: z.base64().max(32_000_000).nullable().describe('null takes the file out'),
      expected: objectIdSchema
        .nullable()
        .describe('The content that this was made from; null for a file that was not there'),
    }),
    result,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/review/edits' },
  },
  'review.resolve': {
    summary: 'Decide a conflict between the reviewer’s version of a file and the agent’s',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, path, take: z.enum(['ours', 'theirs']) }),
    result,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/review/conflicts' },
  },
  'review.undo': {
    summary: 'Take a decision back; what was decided later stays',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      seq: z.int().positive().optional().describe('Of the decision; absent: the last one that was not taken back'),
    }),
    result,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/review/undo' },
  },
} as const;
