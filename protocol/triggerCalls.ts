import * as z from 'zod';
import { withKey } from './callParts.ts';
import { modelNameSchema, permissionModeSchema } from './composing.ts';
import { sessionIdSchema } from './events.ts';

/** What a session that nobody began by hand starts with. */
export const startFields = {
  source: z.string().min(1).max(4096).describe('The local path or the URL that its sessions start from'),
  base: z.string().max(200).optional().describe('A commit, branch or tag; default HEAD of the source'),
  title: z.string().min(1).max(200).optional().describe('Of its sessions; default: its name'),
  permissionMode: permissionModeSchema,
  provider: z.string().max(100),
  model: modelNameSchema.optional(),
  budgetUsd: z.number().positive().optional().describe('What the model may cost in one session'),
  maxPerHour: z.int().min(1).max(1000).describe('What comes beyond that begins nothing, and is recorded as refused'),
};

export const startDefaults = {
  ...startFields,
  permissionMode: startFields.permissionMode.default('autopilot'),
  provider: startFields.provider.default('local'),
};

export const triggerNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
  .describe('Lower-case letters, digits and hyphens');

export const namedHookKindSchema = z.enum(['generic', 'sentry', 'glitchtip']).meta({
  id: 'NamedHookKind',
  description:
    '`generic`: signed by the scheme of Standard Webhooks. `sentry`: signed by an integration of Sentry. `glitchtip`: not signed; its secret is the last part of the address',
});

const template = z
  .string()
  .max(20_000)
  .describe(
    'What the agent is told. `{{path.to.field}}` names a field of the webhook, which is handed over as material',
  );

export const namedHookSchema = z
  .object({
    name: triggerNameSchema,
    kind: namedHookKindSchema,
    ...startFields,
    prompt: template.optional(),
    at: z.number().describe('When it was added'),
    path: z.string().describe('Where to send to, on the public address of this relay'),
  })
  .meta({ id: 'NamedHook', description: 'A webhook of its own, and what it begins' });
export type NamedHook = z.infer<typeof namedHookSchema>;

export const firingStateSchema = z.enum(['waiting', 'begun', 'ignored', 'refused', 'dead']).meta({
  id: 'FiringState',
  description:
    '`waiting`: its session is not made yet. `begun`: there is one. `ignored`: it is worked on already. `refused`: too many came in an hour. `dead`: given up; `triggers.retry` tries again',
});

const firingSchema = z
  .object({
    key: z.string().describe('One delivery or one due time has one key, however often it comes'),
    trigger: z.string().describe('`hook`, `schedule` or `by-hand`, a space, and its name'),
    at: z.number(),
    state: firingStateSchema,
    sessionId: sessionIdSchema.optional(),
    attempts: z.int().nonnegative(),
    dueAt: z.number().describe('When it is tried next, while it waits'),
    reason: z.string().optional(),
  })
  .meta({ id: 'Firing', description: 'One time that a webhook or a schedule asked for a session' });
export type Firing = z.infer<typeof firingSchema>;

const givenSecret = z
  .string()
  .min(16)
  .max(200)
  .optional()
  .describe('Of the sender, where that makes it: the client secret of the integration in Sentry');
const madeSecret = z.string().optional().describe('Absent where the sender made it');

/** The calls about sessions that begin without a person and without a forge, a part of `calls`. */
export const triggerCalls = {
  'hooks.add': {
    summary: 'Open a webhook of its own whose deliveries begin sessions; the secret that signs them is told here alone',
    mutates: true,
    params: z.object({
      ...withKey,
      ...startDefaults,
      name: triggerNameSchema,
      kind: namedHookKindSchema.default('generic'),
      prompt: template.optional(),
      secret: givenSecret,
      maxPerHour: startFields.maxPerHour.default(10),
    }),
    result: z.object({ hook: namedHookSchema, secret: madeSecret }),
    rest: { method: 'post', path: '/v1/hooks/named' },
  },
  'hooks.named': {
    summary: 'The webhooks of their own, without their secrets',
    mutates: false,
    params: z.object({}),
    result: z.object({ hooks: z.array(namedHookSchema) }),
    rest: { method: 'get', path: '/v1/hooks/named' },
  },
  'hooks.rotate': {
    summary: 'Make another secret for a webhook of its own: what is signed with the old one is refused',
    mutates: true,
    params: z.object({ ...withKey, name: triggerNameSchema, secret: givenSecret }),
    result: z.object({ hook: namedHookSchema, secret: madeSecret }),
    rest: { method: 'post', path: '/v1/hooks/named/{name}/rotate' },
  },
  'hooks.remove': {
    summary: 'Close a webhook of its own; sessions that it began stay',
    mutates: true,
    params: z.object({ ...withKey, name: triggerNameSchema }),
    result: z.object({ removed: z.boolean() }),
    rest: { method: 'post', path: '/v1/hooks/named/{name}/remove' },
  },
  'triggers.list': {
    summary: 'What webhooks of their own and schedules asked for, newest first, and what came of it',
    mutates: false,
    params: z.object({
      trigger: z
        .string()
        .max(60)
        .optional()
        .describe('Only of this one: `hook`, `schedule` or `by-hand`, a space, and its name'),
      state: firingStateSchema.optional(),
      limit: z.int().min(1).max(500).default(50),
    }),
    result: z.object({ firings: z.array(firingSchema) }),
    rest: { method: 'get', path: '/v1/triggers/firings' },
  },
  'triggers.retry': {
    summary: 'Try again what was given up',
    mutates: true,
    params: z.object({ ...withKey, firing: z.string().min(1).max(300).describe('The key of a firing') }),
    result: z.object({ retried: z.boolean().describe('false when there was nothing to try again') }),
    rest: { method: 'post', path: '/v1/triggers/retry' },
  },
} as const;
