import * as z from 'zod';
import { empty, ofSession, withKey } from './callParts.ts';
import { messageIdSchema, sessionIdSchema } from './events.ts';
import { MAX_SPEC_CHARACTERS, specSchema } from './spec.ts';
import { specBudgetSchema, specIdSchema, specOutcomeSchema } from './specEvents.ts';

const text = z
  .string()
  .min(1)
  .max(MAX_SPEC_CHARACTERS)
  .describe('Markdown, as docs/specs.md says; one that cannot be read as a spec is kept too');
const revision = z.int().positive();
const ofSpec = { specId: specIdSchema };
/** The revision that a person looked at: a build of another one would be a surprise. */
const atRevision = { revision: revision.optional().describe('Default: the newest') };

const problemSchema = z
  .object({ line: z.int().positive(), message: z.string() })
  .meta({ id: 'SpecProblem', description: 'Why a text cannot be read as a spec' });

export const specDocumentSchema = z
  .object({
    specId: specIdSchema,
    revision,
    title: z.string(),
    at: z.number().describe('When this revision was written'),
    createdAt: z.number(),
    removed: z.boolean(),
    items: z.int().nonnegative().describe('0 while the text cannot be read'),
    checks: z.int().nonnegative(),
    problems: z.array(problemSchema),
  })
  .meta({ id: 'SpecDocument' });
export type SpecDocument = z.infer<typeof specDocumentSchema>;

const usedIn = z
  .object({
    sessionId: sessionIdSchema,
    title: z.string(),
    revision,
    outcome: specOutcomeSchema.optional().describe('Absent while it is built'),
    passed: z.int().nonnegative().describe('Items'),
    items: z.int().nonnegative(),
  })
  .meta({ id: 'SpecUse' });

/** The calls about specs, a part of `calls`. */
export const specCalls = {
  'spec.list': {
    summary: 'Specs of this relay, the one that was changed last first',
    mutates: false,
    params: z.object({ removed: z.boolean().default(false) }),
    result: z.object({ specs: z.array(specDocumentSchema) }),
    rest: { method: 'get', path: '/v1/specs' },
  },
  'spec.get': {
    summary: 'A spec, with the sessions that it was last built in',
    mutates: false,
    params: z.object({ ...ofSpec, ...atRevision }),
    result: specDocumentSchema.extend({
      text: z.string(),
      document: specSchema.optional().describe('Absent while the text cannot be read'),
      newest: revision,
      sessions: z.array(usedIn),
    }),
    rest: { method: 'get', path: '/v1/specs/{specId}' },
  },
  'spec.revisions': {
    summary: 'Every revision of a spec, oldest first',
    mutates: false,
    params: z.object(ofSpec),
    result: z.object({ revisions: z.array(z.object({ revision, at: z.number(), title: z.string() })) }),
    rest: { method: 'get', path: '/v1/specs/{specId}/revisions' },
  },
  'spec.create': {
    summary: 'Keep a text as a new spec',
    mutates: true,
    params: z.object({ ...withKey, text }),
    result: specDocumentSchema,
    rest: { method: 'post', path: '/v1/specs' },
  },
  'spec.save': {
    summary:
      'Write the next revision of a spec; refused with `stale` when another is the newest. The same text changes nothing',
    mutates: true,
    params: z.object({ ...withKey, ...ofSpec, expectedRevision: revision, text }),
    result: specDocumentSchema,
    rest: { method: 'post', path: '/v1/specs/{specId}' },
  },
  'spec.remove': {
    summary: 'Take a spec out of the list, or put it back; nothing of it is lost',
    mutates: true,
    params: z.object({ ...withKey, ...ofSpec, removed: z.boolean().default(true) }),
    result: empty,
    rest: { method: 'post', path: '/v1/specs/{specId}/removal' },
  },
  'spec.build': {
    summary: 'Have an agent build a spec in a session: turn after turn until its checks pass, or its budget ends',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, ...ofSpec, ...atRevision, budget: specBudgetSchema.prefault({}) }),
    result: z.object({ messageId: messageIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/spec' },
  },
  'spec.extract': {
    summary: 'Have the agent of a session write down what was talked about as a spec, which is then in the list',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession }),
    result: z.object({ messageId: messageIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/spec/extract' },
  },
  'spec.check': {
    summary: 'Run the checks of a spec once, on what a session has made so far',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, ...ofSpec, ...atRevision }),
    result: z.object({ seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/spec/checks' },
  },
} as const;
