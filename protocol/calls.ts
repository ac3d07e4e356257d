import * as z from 'zod';
import {
  approvalDecisionSchema,
  approvalIdSchema,
  blobRefSchema,
  changeStatsSchema,
  commitSchema,
  liveItemSchema,
  messageIdSchema,
  permissionModeSchema,
  repositoryRefSchema,
  sessionEventSchema,
  sessionIdSchema,
} from './events.ts';
import {
  empty,
  fileChangeSchema,
  ofSession,
  sessionStateSchema,
  sessionSummarySchema,
  token,
  toSession,
  treeNameSchema,
  withKey,
} from './callParts.ts';
import { attentionCalls } from './attentionCalls.ts';
import { effortSchema, messageWaySchema, modelNameSchema } from './composing.ts';
import { composingCalls } from './composingCalls.ts';
import { feedbackCalls } from './feedbackCalls.ts';
import { importCalls } from './importCalls.ts';
import { firstImagesSchema, imagesSchema } from './images.ts';
import { networkCalls, networkTextSchema } from './networkCalls.ts';
import { hookCalls } from './hookCalls.ts';
import { triggerCalls } from './triggerCalls.ts';
import { labelCalls } from './labelCalls.ts';
import { landingCalls } from './landingCalls.ts';
import { moveCalls } from './moveCalls.ts';
import { policyCalls } from './policyCalls.ts';
import { treeCalls } from './treeCalls.ts';
import { checkpointCalls } from './checkpointCalls.ts';
import { relayCalls } from './relayCalls.ts';
import { retentionCalls } from './retentionCalls.ts';
import { originSchema } from './origin.ts';
import { objectIdSchema } from './review.ts';
import { ruleCalls } from './ruleCalls.ts';
import { reviewCalls } from './reviewCalls.ts';
import { sampleCalls } from './sampleCalls.ts';
import { scheduleCalls } from './scheduleCalls.ts';
import { searchCalls } from './searchCalls.ts';
import { signInCalls } from './signInCalls.ts';
import { specBudgetSchema, specIdSchema } from './specEvents.ts';
import { specCalls, specDocumentSchema } from './specCalls.ts';

/*
 * Every operation of the relay, once: the WebSocket calls, the REST routes, the OpenAPI document and the handler table
 * are made from this. To add a call: an entry here; the compiler then asks for its handler in the relay.
 *
 * I3: a call with `mutates: true` carries `key`, an idempotency key made by the client. The same key twice is one effect
 * and the same answer; the same key with other parameters is refused with `key_reused`.
 */

const path = z.string().min(1).max(4096);

export const sideSchema = z.enum(['base', 'accepted', 'proposed']).meta({ id: 'Side' });
export type Side = z.infer<typeof sideSchema>;

interface CallShape {
  summary: string;
  mutates: boolean;
  params: z.ZodObject;
  result: z.ZodType;
  /** The same operation over HTTP; `{name}` segments are parameters. Absent where only a socket makes sense. */
  rest?: { method: 'get' | 'post' | 'patch' | 'delete'; path: string };
}

export const calls = {
  ...relayCalls,
  'repository.inspect': {
    summary: 'What a session on this path or URL would start from',
    mutates: false,
    params: z.object({ source: path }),
    result: z.object({
      repository: repositoryRefSchema,
      head: commitSchema,
      detached: z.boolean(),
      uncommitted: z.int().nonnegative().describe('Changed or untracked files'),
      notes: z.array(z.string()).describe('What the user should know: shallow clone, submodules, huge files'),
    }),
    rest: { method: 'get', path: '/v1/repository' },
  },
  'repository.warm': {
    summary: 'Get ready what the next session on this path or URL will need, so that it starts sooner',
    mutates: false,
    params: z.object({ source: path, provider: z.string().default('local'), agent: z.string().default('claude') }),
    result: z.object({}),
    rest: { method: 'post', path: '/v1/repository/warm' },
  },
  'session.create': {
    summary: 'Start a session: the message is durable when this answers, the work goes on in the background',
    mutates: true,
    params: z.object({
      ...withKey,
      source: path.describe('A local path or a URL'),
      base: z.string().max(200).optional().describe('A commit, branch or tag; default HEAD of the source'),
      includeUncommitted: z.boolean().default(false),
      prompt: z.string().max(1_000_000).describe('May be empty only with `spec`'),
      images: firstImagesSchema,
      spec: z
        .object({
          specId: specIdSchema,
          revision: z.int().positive().optional(),
          budget: specBudgetSchema.prefault({}),
        })
        .optional()
        .describe('What is built: the message that begins it comes after `prompt`, in one'),
      title: z.string().max(200).optional(),
      provider: z.string().default('local'),
      acceptNoIsolation: z
        .boolean()
        .default(false)
        .describe('The explicit consent that isolation `none` needs, each time'),
      agent: z.string().default('claude'),
      model: modelNameSchema.optional(),
      effort: effortSchema.optional(),
      permissionMode: permissionModeSchema.default('ask'),
      budgetUsd: z.number().positive().optional(),
      network: z
        .array(networkTextSchema)
        .max(50)
        .optional()
        .describe('What its programs may reach, as for `session.allowNetwork`; default: nothing'),
      token: token.describe('Forge token to read a private URL with; kept in memory until that is done, never stored'),
      origin: originSchema.optional().describe('What on a forge it came from; shown wherever the session is'),
    }),
    result: z.object({ sessionId: sessionIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions' },
  },
  'session.list': {
    summary: 'Sessions, newest activity first',
    mutates: false,
    params: z.object({
      archived: z.boolean().default(false),
      pinned: z.literal(true).optional().describe('Only those that are pinned'),
      limit: z.int().min(1).max(500).default(100),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ sessions: z.array(sessionSummarySchema), nextCursor: z.string().optional() }),
    rest: { method: 'get', path: '/v1/sessions' },
  },
  'session.get': {
    summary: 'The state of one session, with its last 200 items',
    mutates: false,
    params: z.object(ofSession),
    result: sessionStateSchema,
    rest: { method: 'get', path: '/v1/sessions/{sessionId}' },
  },
  'session.events': {
    summary: 'A page of the log: the events after a seq',
    mutates: false,
    params: z.object({
      ...ofSession,
      after: z.int().nonnegative().default(0),
      limit: z.int().min(1).max(1000).default(500),
    }),
    result: z.object({ events: z.array(sessionEventSchema), lastSeq: z.int().nonnegative() }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/events' },
  },
  'session.subscribe': {
    summary:
      'Follow a session from a seq: replay or a snapshot now, then `session.events` and `session.delta` notifications',
    mutates: false,
    params: z.object({ ...ofSession, afterSeq: z.int().nonnegative() }),
    result: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('replay'), fromSeq: z.int(), lastSeq: z.int(), live: z.array(liveItemSchema) }),
      z.object({ kind: z.literal('snapshot'), state: sessionStateSchema, live: z.array(liveItemSchema) }),
    ]),
  },
  'session.unsubscribe': {
    summary: 'Stop following a session',
    mutates: false,
    params: z.object(ofSession),
    result: empty,
  },
  'session.send': {
    summary: 'Queue a message; it is handed to the agent at the next turn boundary, or as `way` says',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      text: z.string().min(1).max(1_000_000),
      way: messageWaySchema.default('queue'),
      images: imagesSchema.default([]),
      origin: originSchema.optional().describe('What on a forge it came from'),
    }),
    result: z.object({ messageId: messageIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/messages' },
  },
  'session.stop': {
    summary: 'Stop the turn, and the work so far becomes its checkpoint; or stop what prepares it',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession }),
    result: z.object({ stopping: z.boolean().describe('false when nothing was running') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/stop' },
  },
  'session.retry': {
    summary:
      'Recover: try again what failed, end an agent that is stuck and resume its conversation, or go on with a turn that was cut off',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      token: token.describe('Forge token, where reading a private URL failed for want of one; never stored'),
    }),
    result: z.object({ recovering: z.boolean().describe('false when there was nothing to recover') }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/retry' },
  },
  'session.answer': {
    summary: 'Answer an approval; the first answer wins, a later one gets `conflict`',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, approvalId: approvalIdSchema, decision: approvalDecisionSchema }),
    result: z.object({ seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/approvals/{approvalId}' },
  },
  'session.rename': {
    summary: 'Give a session another title',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, title: z.string().min(1).max(200) }),
    result: empty,
    rest: { method: 'patch', path: '/v1/sessions/{sessionId}' },
  },
  'session.archive': {
    summary: 'Archive a session (its agent is stopped, everything is kept) or bring it back',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession, archived: z.boolean() }),
    result: empty,
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/archive' },
  },
  ...attentionCalls,
  ...labelCalls,
  ...moveCalls,
  ...importCalls,
  ...sampleCalls,
  ...ruleCalls,
  ...searchCalls,
  ...composingCalls,
  ...networkCalls,
  ...retentionCalls,
  ...signInCalls,
  ...hookCalls,
  ...triggerCalls,
  ...scheduleCalls,
  ...checkpointCalls,
  'changes.list': {
    summary: 'Files that differ between two trees; default: what is pending',
    mutates: false,
    params: z.object({
      ...ofSession,
      from: treeNameSchema.default('accepted'),
      to: treeNameSchema.default('proposed'),
      ...toSession,
    }),
    result: z.object({
      files: z.array(fileChangeSchema),
      stats: changeStatsSchema,
      fromCommit: commitSchema,
      toCommit: commitSchema,
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/changes' },
  },
  'changes.diff': {
    summary: 'The unified diff between two trees',
    mutates: false,
    params: z.object({
      ...ofSession,
      from: treeNameSchema.default('base'),
      to: treeNameSchema.default('proposed'),
      ...toSession,
      maxBytes: z.int().positive().max(20_000_000).default(5_000_000),
    }),
    result: z.object({ diff: z.string(), truncated: z.boolean() }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/diff' },
  },
  'changes.file': {
    summary: 'The content of a file in one tree',
    mutates: false,
    params: z.object({ ...ofSession, side: treeNameSchema, path }),
    result: z.object({
      exists: z.boolean(),
      encoding: z.enum(['utf8', 'base64']),
      content: z.string().describe('Empty when `tooLarge`'),
      bytes: z.int().nonnegative(),
      mode: z.string(),
      blob: objectIdSchema.nullable().describe('null when there is no such file'),
      tooLarge: z.boolean(),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/file' },
  },
  ...treeCalls,
  'changes.acceptAll': {
    summary: 'Take all of the proposed tree into the accepted tree; no work file changes',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      expectedProposed: commitSchema.describe('Refused with `stale` when another checkpoint came'),
      confirmed: z.array(path).max(10_000).default([]).describe('Sensitive files that a person has looked at'),
    }),
    result: z.object({
      accepted: commitSchema,
      seq: z.int(),
      left: z
        .array(z.object({ path, reason: z.string() }))
        .describe('Sensitive files that stay pending: name them in `confirmed`, or accept them one by one'),
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/accept' },
  },
  ...reviewCalls,
  ...feedbackCalls,
  ...landingCalls,
  ...policyCalls,
  ...specCalls,
  'blob.read': {
    summary: 'A payload that stands outside the log, or a range of it',
    mutates: false,
    params: z.object({
      ...ofSession,
      hash: blobRefSchema.shape.hash,
      offset: z.int().nonnegative().default(0),
      maxBytes: z.int().positive().max(4_000_000).default(1_000_000),
    }),
    result: z.object({
      content: z.string().describe('base64'),
      bytes: z.int().nonnegative().describe('Of the whole blob'),
    }),
  },
} as const satisfies Record<string, CallShape>;

export type CallName = keyof typeof calls;
/** What a client passes: fields with a default may be left out. */
export type CallParams<N extends CallName> = z.input<(typeof calls)[N]['params']>;
/** What a handler receives: validated, defaults filled in. */
export type CheckedParams<N extends CallName> = z.output<(typeof calls)[N]['params']>;
export type CallResult<N extends CallName> = z.output<(typeof calls)[N]['result']>;

/** One handler per call; a call without one does not compile. */
export type CallHandlers<Context> = {
  [N in CallName]: (params: CheckedParams<N>, context: Context) => Promise<CallResult<N>>;
};

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}

/** Notifications that the relay sends. */
export const notifications = {
  'session.events': z
    .object({ ...ofSession, events: z.array(sessionEventSchema).min(1) })
    .describe('The next events of a subscribed session, in order, without gaps'),
  'session.delta': z
    .object({
      ...ofSession,
      itemId: z.string(),
      kind: liveItemSchema.shape.kind,
      parentToolId: z.string().optional(),
      offset: z.int().nonnegative().describe('UTF-16 length of what came before; 0 begins the item anew'),
      text: z.string(),
    })
    .describe('Text that was just written; not in the log'),
  'session.lagging': z
    .object({ ...ofSession, lastSeq: z.int() })
    .describe('This client was too slow and was unsubscribed: subscribe again with the last seq it has'),
  'session.changed': z.object({ summary: sessionSummarySchema }).describe('The row of a session changed'),
  'session.removed': z.object(ofSession),
  'spec.changed': z
    .object({ spec: specDocumentSchema })
    .describe('A spec was written, taken out of the list (`removed`) or put back: what it is now'),
} as const satisfies Record<string, z.ZodObject>;
export type NotificationName = keyof typeof notifications;
export type NotificationParams<N extends NotificationName> = z.output<(typeof notifications)[N]>;

/** The first call on every socket. */
export const initializeSchema = {
  params: z.object({
    protocol: z.object({ newest: z.int(), oldest: z.int() }),
    client: z.object({ name: z.string().max(100), version: z.string().max(100) }),
  }),
  result: z.object({
    protocolVersion: z.int(),
    relay: z.object({ version: z.string(), instance: z.string().describe('Changes when the relay restarts') }),
    limits: z.object({ maxFrameBytes: z.int() }),
  }),
};
export type InitializeResult = z.infer<typeof initializeSchema.result>;
