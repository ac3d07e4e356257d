import * as z from 'zod';
import { ofSession, withKey } from './callParts.ts';
import { settingsChangeSchema } from './composing.ts';
import { messageIdSchema } from './events.ts';

const message = { messageId: messageIdSchema };
const seq = z.object({ seq: z.int() });

/** The calls that change how the agent works and what is queued for it, a part of `calls`. */
export const composingCalls = {
  'session.configure': {
    summary:
      'Change the model, the effort or the permission mode; also in the middle of a turn, from the next answer of the model on',
    mutates: true,
    params: settingsChangeSchema.extend({ ...withKey, ...ofSession }),
    result: z.object({
      seq: z.int(),
      applies: z.enum(['now', 'nextTurn']).describe('`nextTurn`: the agent is started again before the next message'),
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/settings' },
  },
  'message.hurry': {
    summary:
      'Hand a queued message to the turn that runs, or stop that turn and hand it over first; `conflict` when it is not queued any more',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, ...message, way: z.enum(['steer', 'interrupt']) }),
    result: seq,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/messages/{messageId}/hurry' },
  },
  'message.withdraw': {
    summary: 'Take back a queued message; `conflict` when the agent may have it already',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, ...message }),
    result: z.object({ seq: z.int(), text: z.string().describe('For another attempt') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/messages/{messageId}/withdraw' },
  },
} as const;
