import * as z from 'zod';
import { ofSession, withKey } from './callParts.ts';
import { tagSchema } from './labels.ts';
import { MAX_TAGS } from './tags.ts';

const tags = z.array(tagSchema).max(MAX_TAGS).default([]);

/** The calls that mark sessions, a part of `calls`. */
export const labelCalls = {
  'session.pin': {
    summary: 'Pin a session to the top of every list, or let it go again',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, pinned: z.boolean() }),
    result: z.object({ seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/pin' },
  },
  'session.tag': {
    summary: 'Add and remove tags of a session; what others change at the same time stays',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, add: tags, remove: tags }),
    result: z.object({ seq: z.int(), tags: z.array(z.string()) }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/tags' },
  },
} as const;
