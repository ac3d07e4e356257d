import * as z from 'zod';
import { sessionIdSchema } from './events.ts';

const row = { sessionId: sessionIdSchema, title: z.string(), repository: z.string() };

/** The calls by which several windows call one person once, a part of `calls`. */
export const attentionCalls = {
  'attention.claim': {
    summary:
      'Be the one who tells the person of an event: granted to the first who asks, and to the same claimant again; forgotten with the relay',
    mutates: false,
    params: z.object({
      event: z.string().min(1).max(300).describe('A name that every client makes in the same way'),
      claimant: z.string().min(1).max(100),
    }),
    result: z.object({ granted: z.boolean() }),
  },
  'attention.seen': {
    summary: 'The person is here now: what happens from now on is told to them as it happens',
    mutates: false,
    params: z.object({}),
    result: z.object({ seenAt: z.number() }),
  },
  'attention.away': {
    summary: 'What happened while nobody was here, read from the logs of the sessions',
    mutates: false,
    params: z.object({
      since: z
        .number()
        .nonnegative()
        .optional()
        .describe('Milliseconds since the epoch; default: when the person was last here'),
    }),
    result: z.object({
      since: z.number(),
      until: z.number(),
      finished: z.array(
        z.object({ ...row, turns: z.int(), files: z.int(), costUsd: z.number() }).describe('Turns that ended well'),
      ),
      waiting: z.array(z.object({ ...row, asks: z.array(z.string()) })).describe('Waits for the person now'),
      failed: z.array(z.object({ ...row, message: z.string() })).describe('Turns that failed, and what cannot go on'),
      costUsd: z.number().describe('Of every turn that ended in that time'),
    }),
    rest: { method: 'get', path: '/v1/away' },
  },
} as const;
