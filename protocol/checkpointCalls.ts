import * as z from 'zod';
import { ofSession, withKey } from './callParts.ts';
import { sessionIdSchema } from './events.ts';
import { firstImagesSchema } from './images.ts';

const turn = z.int().nonnegative().describe('0 is the start of the session');
const stop = z
  .boolean()
  .default(false)
  .describe('Stop a turn that runs first; what it did becomes a checkpoint. Without it that is a `conflict`');

/** The calls that go back to a turn, a part of `calls`. */
export const checkpointCalls = {
  'checkpoint.restore': {
    summary:
      'Bring code, conversation or both back to the end of a turn. The files as they are now are saved first; later turns are set aside and can be restored too',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, turn, code: z.boolean(), conversation: z.boolean(), stop }),
    result: z.object({ restore: z.int().positive().describe('Names it; done when `restoreFinished` says so') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/restores' },
  },
  'checkpoint.undo': {
    summary: 'Take a restore back: files and conversation are as they were before it',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      restore: z.int().positive().optional().describe('Absent: the last one that was not taken back'),
      stop,
    }),
    result: z.object({ restore: z.int().positive().describe('Names this one; it can be taken back too') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/restores/undo' },
  },
  'checkpoint.branch': {
    summary:
      'Begin a new session from the end of a turn, with its files, its conversation and its review; the first one goes on as it is',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      turn,
      title: z.string().min(1).max(200).optional(),
      prompt: z.string().min(1).max(1_000_000).optional().describe('The first message of the branch'),
      images: firstImagesSchema,
      acceptNoIsolation: z.boolean().default(false).describe('As in `session.create`'),
    }),
    result: z.object({ sessionId: sessionIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/branches' },
  },
} as const;
