import * as z from 'zod';
import { withKey } from './callParts.ts';
import { sessionIdSchema } from './events.ts';
import { ruleScopeSchema, ruleTextSchema } from './permissionRules.ts';

const target = {
  rule: ruleTextSchema,
  scope: ruleScopeSchema,
  sessionId: sessionIdSchema
    .optional()
    .describe('For `session`, and for `repository`: the session whose repository is meant, unless that is named'),
  repositoryId: z.string().max(200).optional(),
};

/** The calls about what agents may do without asking, a part of `calls`. */
export const ruleCalls = {
  'rules.list': {
    summary:
      'Every rule by which agents do not ask: of sessions that are not archived, of repositories, and those that hold everywhere',
    mutates: false,
    params: z.object({}),
    result: z.object({
      rules: z.array(
        z.object({
          rule: z.string(),
          scope: ruleScopeSchema,
          session: z.object({ id: z.string(), title: z.string() }).optional(),
          repository: z.object({ id: z.string(), name: z.string() }).optional(),
          at: z.number().optional().describe('When it was made; absent for a session’s own'),
          wide: z.boolean().describe('It leaves nothing to ask about a tool that changes things'),
        }),
      ),
    }),
    rest: { method: 'get', path: '/v1/rules' },
  },
  'rules.add': {
    summary: 'Let agents do something without asking; those that run hear of it before their next message',
    mutates: true,
    params: z.object({ ...withKey, ...target }),
    result: z.object({ added: z.boolean().describe('false when it was there') }),
    rest: { method: 'post', path: '/v1/rules' },
  },
  'rules.remove': {
    summary: 'Have agents ask again; those that run are started again before their next message',
    mutates: true,
    params: z.object({ ...withKey, ...target }),
    result: z.object({ removed: z.boolean().describe('false when there was no such rule') }),
    rest: { method: 'post', path: '/v1/rules/remove' },
  },
} as const;
