import * as z from 'zod';
import { ofSession, withKey } from './callParts.ts';
import { blockReasonSchema, networkRuleSchema } from './network.ts';

/** What a person writes: a preset, `host`, `host:port` or `*.host:port`. */
export const networkTextSchema = z.string().min(1).max(300);

/** The calls about what a session may reach and spend, a part of `calls`. */
export const networkCalls = {
  'session.network': {
    summary: 'What the programs of a session may reach, and what they tried to',
    mutates: false,
    params: z.object(ofSession),
    result: z.object({
      proxied: z
        .boolean()
        .describe('Its programs reach nothing but through the relay; false where the provider alone decides'),
      rules: z.array(z.object({ rule: networkRuleSchema, from: z.enum(['relay', 'repository', 'session']) })),
      seen: z.array(
        z.object({
          at: z.number(),
          host: z.string(),
          port: z.int(),
          blocked: blockReasonSchema.optional().describe('Absent: it was reached'),
          times: z.int().nonnegative().describe('Since the relay was started'),
        }),
      ),
      presets: z.record(z.string(), z.array(networkRuleSchema)),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/network' },
  },
  'session.allowNetwork': {
    summary: 'Let the programs of a session reach a host, or take that back; it counts for the next connection',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      allow: networkTextSchema.describe(
        'A preset (npm, pypi, crates, go, debian, github), host, host:port, *.host:port',
      ),
      scope: z.enum(['session', 'repository']).default('session'),
      allowed: z.boolean().default(true),
    }),
    result: z.object({ seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/network' },
  },
  'session.setBudget': {
    summary:
      'Change how much money the model may cost in a session, also one whose budget is spent; counts for the next call',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      budgetUsd: z.number().positive().nullable().describe('In all, with what was spent; null: no limit'),
    }),
    result: z.object({ seq: z.int(), spentUsd: z.number() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/budget' },
  },
  'session.findSecrets': {
    summary: 'Search the live sandbox of a session for every secret that the relay holds, in every spelling',
    mutates: false,
    params: z.object(ofSession),
    result: z.object({
      secrets: z.array(z.object({ name: z.string(), spellings: z.int() })).describe('What was looked for'),
      processes: z.int(),
      files: z.int(),
      bytes: z.int(),
      notSearched: z.array(z.string()),
      found: z.array(z.object({ name: z.string(), where: z.string() })),
      controlFound: z.boolean().describe('A value that was planted for this search was found'),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/secrets' },
  },
} as const;
