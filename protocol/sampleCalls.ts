import * as z from 'zod';
import { withKey } from './callParts.ts';
import { sessionIdSchema } from './events.ts';

/** The call that makes something to look at without key and agent, a part of `calls`. */
export const sampleCalls = {
  'session.sample': {
    summary:
      'The sample session: a recorded one, to be looked at, reviewed and applied without a key and without an agent. The one that is there, unless it is archived; else a new one',
    mutates: true,
    params: z.object(withKey),
    result: z.object({
      sessionId: sessionIdSchema,
      seq: z.int(),
      folder: z.string().describe('Its repository, on the machine of the relay: a work tree to apply its changes to'),
    }),
    rest: { method: 'post', path: '/v1/sample' },
  },
} as const;
