import * as z from 'zod';
import { ofSession, withKey } from './callParts.ts';

/** The call that moves a session, a part of `calls`. */
export const moveCalls = {
  'session.move': {
    summary:
      'Move a session to another sandbox provider, with its files, what git ignores and its conversation; until it is done, and when it fails, the session is where it was',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      provider: z.string().min(1).max(100).describe('As in `relay.info`'),
      acceptNoIsolation: z.boolean().default(false).describe('As in `session.create`'),
      stop: z
        .boolean()
        .default(false)
        .describe('Stop a turn that runs first; what it did becomes a checkpoint. Without it that is a `conflict`'),
    }),
    result: z.object({ move: z.int().positive().describe('Names it; done when `sessionMoved` says so') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/move' },
  },
} as const;
