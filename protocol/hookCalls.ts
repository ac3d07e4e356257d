import * as z from 'zod';
import { withKey } from './callParts.ts';
import { permissionModeSchema } from './composing.ts';
import { sessionIdSchema } from './events.ts';

/** What a forge may ask for by a webhook, each for itself. */
export const hookTriggerSchema = z.enum(['issues', 'comments', 'reviews', 'checks', 'close']).meta({
  id: 'HookTrigger',
  description:
    '`issues`: an issue that is given the label. `comments`: `@sandpiper ...`. `reviews`: reviews of our pull requests. `checks`: failed checks of them. `close`: they are merged or closed',
});
export type HookTrigger = z.infer<typeof hookTriggerSchema>;

const repositoryNameSchema = z
  .string()
  .max(300)
  .regex(/^([a-z0-9.-]+(:\d+)?\/)?([\w.-]+\/){1,20}[\w.-]+$/i)
  .describe('`owner/name`, or `host/owner/name` for another host than github.com; at GitLab the owner may be a path');

/** Whose webhooks are told apart: each has an address and a secret of its own. */
export const hookForgeSchema = z.enum(['github', 'gitea', 'gitlab']).meta({
  id: 'HookForge',
  description: 'A kind of forge that tells by webhooks. `gitea`: Forgejo, too',
});
export type HookForge = z.infer<typeof hookForgeSchema>;

const connectionFields = {
  source: z.string().min(1).max(4096).describe('The local path or the URL that its sessions start from'),
  base: z
    .string()
    .max(200)
    .optional()
    .describe('The branch that they start from; default: the default branch of the repository'),
  triggers: z.array(hookTriggerSchema),
  label: z.string().min(1).max(50),
  budgetUsd: z.number().positive().optional().describe('What the model may cost in one session, repairs and all'),
  maxRepairs: z.int().min(0).max(20).describe('Turns in a row for failed checks, until a person is asked'),
  permissionMode: permissionModeSchema,
  provider: z.string(),
  model: z.string().max(200).optional(),
};

export const hookConnectionSchema = z
  .object({ repository: repositoryNameSchema, ...connectionFields, at: z.number() })
  .meta({ id: 'HookConnection', description: 'What webhooks of a repository may begin, and where' });
export type HookConnection = z.infer<typeof hookConnectionSchema>;

export const deliveryStateSchema = z.enum(['waiting', 'done', 'ignored', 'dead']);

const deliverySchema = z
  .object({
    id: z.string(),
    event: z.string(),
    action: z.string().optional(),
    repository: z.string().optional(),
    at: z.number().describe('When it came'),
    state: deliveryStateSchema.describe('`dead`: given up; `hooks.retry` tries again'),
    attempts: z.int().nonnegative(),
    dueAt: z.number().describe('When it is tried next, while it waits'),
    reason: z.string().optional().describe('Why it was ignored, or why the last attempt failed'),
    request: z.string().optional().describe('The key of what it asked for'),
  })
  .meta({ id: 'HookDelivery' });
export type HookDelivery = z.infer<typeof deliverySchema>;

const requestSchema = z
  .object({
    key: z.string().describe('One thing that a person did on the forge has one key, however often it is told'),
    subject: z.string().describe('The issue or pull request'),
    at: z.number(),
    state: z.enum(['open', 'done', 'dead']),
    stage: z.string(),
    sessionId: sessionIdSchema.optional(),
    attempts: z.int().nonnegative(),
    dueAt: z.number(),
    reason: z.string().optional(),
  })
  .meta({ id: 'HookRequest' });
export type HookRequest = z.infer<typeof requestSchema>;

/** The calls about what forges tell this relay, a part of `calls`. */
export const hookCalls = {
  'hooks.list': {
    summary: 'What came by webhooks, newest first, and what of it is under way or was given up',
    mutates: false,
    params: z.object({
      state: deliveryStateSchema.optional().describe('Only deliveries in this state'),
      limit: z.int().min(1).max(500).default(50),
    }),
    result: z.object({ deliveries: z.array(deliverySchema), requests: z.array(requestSchema) }),
    rest: { method: 'get', path: '/v1/hooks/deliveries' },
  },
  'hooks.show': {
    summary: 'One delivery with its payload, where that is still kept, and what it asked for',
    mutates: false,
    params: z.object({ id: z.string().min(1).max(300) }),
    result: z.object({
      delivery: deliverySchema.optional(),
      payload: z.string().optional().describe('JSON; kept until the delivery is done'),
      request: requestSchema.optional(),
    }),
    rest: { method: 'get', path: '/v1/hooks/deliveries/{id}' },
  },
  'hooks.retry': {
    summary: 'Try a delivery or a request again that was given up, or that waits for its next attempt',
    mutates: true,
    params: z.object({ ...withKey, id: z.string().min(1).max(300).describe('Of a delivery, or the key of a request') }),
    result: z.object({ retried: z.boolean().describe('false when there was nothing to try again') }),
    rest: { method: 'post', path: '/v1/hooks/deliveries/{id}/retry' },
  },
  'hooks.secret': {
    summary: 'The secret by which a forge signs its webhooks; made when there is none, which opens the door for them',
    mutates: true,
    params: z.object({
      ...withKey,
      forge: hookForgeSchema.default('github'),
      rotate: z.boolean().default(false).describe('Make another one: what is signed with the old one is refused'),
    }),
    result: z.object({
      secret: z.string(),
      source: z.enum(['environment', 'stored']),
      signingToken: z
        .string()
        .optional()
        .describe('The same secret as GitLab takes it for signing; absent elsewhere, and for one that cannot be one'),
      path: z.string().describe('Where the forge is to send to, on the public address of this relay'),
    }),
    rest: { method: 'post', path: '/v1/hooks/secret' },
  },
  'hooks.connections': {
    summary: 'The repositories whose webhooks begin something',
    mutates: false,
    params: z.object({}),
    result: z.object({ connections: z.array(hookConnectionSchema) }),
    rest: { method: 'get', path: '/v1/hooks/connections' },
  },
  'hooks.connect': {
    summary: 'Say what webhooks of a repository may begin; what was said before of the same one is replaced',
    mutates: true,
    params: z.object({
      ...withKey,
      repository: repositoryNameSchema,
      ...connectionFields,
      triggers: connectionFields.triggers.default(['issues', 'comments', 'reviews', 'checks', 'close']),
      label: connectionFields.label.default('sandpiper'),
      maxRepairs: connectionFields.maxRepairs.default(3),
      permissionMode: connectionFields.permissionMode.default('autopilot'),
      provider: connectionFields.provider.default('local'),
    }),
    result: z.object({ connection: hookConnectionSchema }),
    rest: { method: 'post', path: '/v1/hooks/connections' },
  },
  'hooks.disconnect': {
    summary: 'Have webhooks of a repository begin nothing any more; sessions that they began stay',
    mutates: true,
    params: z.object({ ...withKey, repository: repositoryNameSchema }),
    result: z.object({ removed: z.boolean() }),
    rest: { method: 'post', path: '/v1/hooks/connections/remove' },
  },
} as const;
