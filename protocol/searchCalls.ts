import * as z from 'zod';
import { sessionIdSchema } from './events.ts';

/** The call that looks into all sessions; part of the table in calls.ts. */
export const searchCalls = {
  'session.search': {
    summary:
      'Find text in all sessions, newest first: titles, messages, answers, thoughts, tool calls with their output',
    mutates: false,
    params: z.object({
      query: z
        .string()
        .min(1)
        .max(500)
        .describe('Words that must all stand in one text, in any order and case; "what is in quotes" is one word'),
      archived: z.boolean().default(true).describe('Archived sessions too'),
      limit: z.int().min(1).max(200).default(50),
    }),
    result: z.object({
      hits: z.array(
        z.object({
          sessionId: sessionIdSchema,
          title: z.string(),
          archived: z.boolean(),
          seq: z.int().positive(),
          at: z.number(),
          kind: z.enum(['title', 'message', 'text', 'thinking', 'tool', 'notice']),
          itemId: z.string().optional().describe('Row of the transcript; absent for the title'),
          snippet: z.object({
            text: z.string().describe('Of one line'),
            marks: z
              .array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]))
              .describe('Where the words stand in it: from, and before where; UTF-16'),
          }),
        }),
      ),
      more: z.boolean().describe('There is more than `limit`'),
    }),
    rest: { method: 'get', path: '/v1/search' },
  },
} as const;
