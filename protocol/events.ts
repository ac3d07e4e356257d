import * as z from 'zod';
import { baseEvents } from './baseEvents.ts';
import { composingEvents, effortSchema, messageWaySchema, permissionModeSchema } from './composing.ts';
import { blobRefSchema, commitSchema, failureSchema, isolationSchema, payloadSchema } from './eventParts.ts';
import { pullRequestStatusSchema } from './pullRequestStatus.ts';
import { feedbackEvents } from './feedbackEvents.ts';
import { idPattern } from './ids.ts';
import { progressEvents } from './progress.ts';
import { networkEvents } from './network.ts';
import { originSchema } from './origin.ts';
import { importEvents } from './importEvents.ts';
import { labelEvents } from './labels.ts';
import { moveEvents } from './moving.ts';
import { ruleEvents, ruleScopeSchema, ruleTextSchema } from './permissionRules.ts';
import {
  changeStatsSchema,
  decidedFileSchema,
  reviewConflictSchema,
  reviewCountsSchema,
  reviewVerdictSchema,
} from './review.ts';
import { specEvents } from './specEvents.ts';

/*
 * What happened in a session. Schemas stand here once; types, checks and documents are made from them.
 * To add an event: a variant here; the compiler then asks for its case in reducer.ts, and docs/protocol.md for a row.
 * Readers ignore event types that they do not know, so a new variant does not break an older client.
 */

export const sessionIdSchema = z.string().regex(idPattern('ses')).meta({ id: 'SessionId' });
export const messageIdSchema = z.string().regex(idPattern('msg')).meta({ id: 'MessageId' });
export const approvalIdSchema = z.string().min(1).max(200);

export {
  blobRefSchema,
  commitSchema,
  failureSchema,
  isolationSchema,
  type BlobRef,
  type Failure,
  type Isolation,
  type Payload,
} from './eventParts.ts';
export { permissionModeSchema, type PermissionMode } from './composing.ts';

export const repositoryRefSchema = z
  .object({
    id: z.string().describe('Stable within one relay'),
    name: z.string().describe('Short name for lists'),
    source: z.string().describe('The local path or the URL it was mirrored from, without credentials'),
    remoteUrl: z.string().optional().describe('Where a pull request would go, without credentials'),
    branch: z.string().optional().describe('The branch that the work starts from; absent on a detached HEAD'),
  })
  .meta({ id: 'RepositoryRef' });
export type RepositoryRef = z.infer<typeof repositoryRefSchema>;

export const usageSchema = z
  .object({
    inputTokens: z.int().nonnegative(),
    outputTokens: z.int().nonnegative(),
    cacheReadTokens: z.int().nonnegative(),
    cacheWriteTokens: z.int().nonnegative(),
    costUsd: z.number().nonnegative(),
  })
  .meta({ id: 'Usage', description: 'Counted by the model gateway, not by the agent' });
export type Usage = z.infer<typeof usageSchema>;

export { changeStatsSchema, type ChangeStats } from './review.ts';

export const turnOutcomeSchema = z.enum(['completed', 'stopped', 'failed']).meta({ id: 'TurnOutcome' });
export type TurnOutcome = z.infer<typeof turnOutcomeSchema>;

export const approvalDecisionSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('allow'),
      always: z.boolean().optional().describe('Also whatever fits the rules of the approval'),
      scope: ruleScopeSchema.optional().describe('Where that holds; default: in this session'),
    }),
    z.object({ kind: z.literal('deny'), message: z.string().max(10_000).optional() }),
    z.object({
      kind: z.literal('answers'),
      answers: z.record(z.string(), z.string()).describe('Question text to the chosen label or free text'),
    }),
  ])
  .meta({ id: 'ApprovalDecision' });
export type ApprovalDecision = z.infer<typeof approvalDecisionSchema>;

export const questionSchema = z
  .object({
    question: z.string(),
    header: z.string().optional(),
    multiSelect: z.boolean(),
    options: z.array(z.object({ label: z.string(), description: z.string().optional() })),
  })
  .meta({ id: 'Question' });
export type Question = z.infer<typeof questionSchema>;

export const pullRequestSchema = z
  .object({
    forge: z.string(),
    number: z.int().positive(),
    url: z.string(),
    branch: z.string(),
    baseBranch: z.string(),
    headCommit: commitSchema,
    draft: z.boolean(),
    state: z.enum(['open', 'closed', 'merged']),
    status: pullRequestStatusSchema.optional().describe('Absent while it was not looked at, and when it is over'),
  })
  .meta({ id: 'PullRequest' });
export type PullRequest = z.infer<typeof pullRequestSchema>;

export const eventBodySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('sessionCreated'),
    title: z.string(),
    repository: repositoryRefSchema,
    base: commitSchema.describe('Where the work starts; a snapshot commit when uncommitted work was included'),
    includesUncommitted: z.boolean(),
    provider: z.string(),
    isolation: isolationSchema,
    agent: z.string(),
    model: z.string().optional(),
    effort: effortSchema.optional(),
    permissionMode: permissionModeSchema,
    origin: originSchema.optional().describe('Absent: a person began it here'),
    sample: z.boolean().optional().describe('A recording that ships with the relay: no agent is behind it'),
  }),
  z.object({ type: z.literal('sessionRenamed'), title: z.string() }),
  z.object({ type: z.literal('sessionArchived'), archived: z.boolean() }),
  z.object({ type: z.literal('preparing'), step: z.enum(['mirror', 'sandbox', 'clone', 'agent']) }),
  z.object({
    type: z.literal('sandboxReady'),
    provider: z.string(),
    isolation: isolationSchema,
    sandboxId: z.string(),
  }),
  z.object({
    type: z.literal('agentStarted'),
    agent: z.string(),
    version: z.string(),
    segment: z.int().positive(),
    resumed: z.boolean(),
  }),
  z.object({
    type: z.literal('agentEnded'),
    segment: z.int().positive(),
    exitCode: z.int().nullable(),
    expected: z.boolean(),
    cause: z.string(),
  }),
  z.object({
    type: z.literal('stuckNoticed'),
    cause: z.string().describe('What is missing, one sentence for a person'),
    since: z.number().describe('When the last sign of life came'),
    hint: z.string(),
    automatic: z.boolean().describe('The relay goes on by itself; otherwise a person decides'),
  }),
  z.object({ type: z.literal('stuckEnded') }),
  z
    .object({
      type: z.literal('recoveryStarted'),
      by: z.string().describe('`relay` when it goes on by itself'),
      attempt: z.int().positive().describe('How many in a row since a turn ended well'),
      delayMs: z.number().nonnegative().describe('How long it waits before the agent is started again'),
      cause: z.string(),
    })
    .describe('What is left of the agent is ended, and the next one goes on with the same conversation'),
  z.object({ type: z.literal('recoveryEnded'), text: z.string() }).describe('There was no turn to go on with'),
  z
    .object({
      type: z.literal('sandboxLost'),
      sandboxId: z.string(),
      cause: z.string(),
      lost: z.string().describe('What of the work is lost with it'),
      turn: z
        .int()
        .positive()
        .optional()
        .describe('The turn without a checkpoint, whose messages are handed over again'),
    })
    .describe('It is made again from the last checkpoint when there is work to do'),
  z.object({ type: z.literal('sessionBlocked'), failure: failureSchema }),
  z.object({ type: z.literal('sessionResumed'), by: z.string() }),
  z.object({
    type: z.literal('messageQueued'),
    messageId: messageIdSchema,
    text: z.string(),
    by: z.string(),
    way: messageWaySchema.optional().describe('Absent: `queue`'),
    images: z.array(blobRefSchema).optional(),
    origin: originSchema.optional(),
  }),
  z.object({ type: z.literal('messageSent'), messageId: messageIdSchema }),
  z.object({ type: z.literal('messageTaken'), messageId: messageIdSchema }),
  z.object({ type: z.literal('turnStarted'), turn: z.int().positive(), messageIds: z.array(messageIdSchema) }),
  z.object({
    type: z.literal('textFinished'),
    itemId: z.string(),
    text: payloadSchema,
    parentToolId: z.string().optional(),
  }),
  z.object({
    type: z.literal('thinkingFinished'),
    itemId: z.string(),
    text: payloadSchema,
    parentToolId: z.string().optional(),
  }),
  z.object({
    type: z.literal('toolStarted'),
    toolId: z.string(),
    name: z.string(),
    title: z.string().describe('One line for people: the command, the file'),
    input: payloadSchema.describe('JSON'),
    parentToolId: z.string().optional(),
  }),
  z.object({
    type: z.literal('toolFinished'),
    toolId: z.string(),
    outcome: z.enum(['ok', 'failed', 'denied', 'stopped']),
    output: payloadSchema,
  }),
  z.object({
    type: z.literal('approvalAsked'),
    approvalId: approvalIdSchema,
    kind: z.enum(['tool', 'plan', 'questions']),
    toolId: z.string().optional(),
    name: z.string(),
    title: z.string(),
    input: payloadSchema,
    reason: z.string().optional(),
    questions: z.array(questionSchema).optional(),
    canAlwaysAllow: z.boolean(),
    rules: z
      .array(ruleTextSchema)
      .max(20)
      .optional()
      .describe('What "always" allows from then on; absent where it changes the permission mode instead'),
  }),
  z.object({
    type: z.literal('approvalAnswered'),
    approvalId: approvalIdSchema,
    decision: approvalDecisionSchema,
    by: z.string(),
    via: z.string().max(100).optional().describe('The client that the answer came through'),
  }),
  z.object({ type: z.literal('approvalWithdrawn'), approvalId: approvalIdSchema, reason: z.string() }),
  z.object({
    type: z.literal('modelRetrying'),
    attempt: z.int(),
    maxAttempts: z.int(),
    delayMs: z.number(),
    status: z.int().nullable().describe('HTTP status of the model, null when the connection failed'),
    message: z.string(),
  }),
  z.object({
    type: z.literal('noticeRaised'),
    level: z.enum(['info', 'warning', 'error']),
    text: z.string(),
    hint: z.string().optional(),
  }),
  z.object({ type: z.literal('stopRequested'), by: z.string() }),
  z.object({
    type: z.literal('agentFinished'),
    turn: z.int().positive(),
    outcome: turnOutcomeSchema,
    failure: failureSchema.optional(),
    usage: usageSchema.describe('Of this turn'),
    durationMs: z.number().nonnegative(),
  }),
  z.object({
    type: z.literal('turnFinished'),
    turn: z.int().positive(),
    outcome: turnOutcomeSchema,
    checkpoint: commitSchema.describe('Equal to the previous checkpoint when nothing changed'),
    changed: z.boolean(),
    stats: changeStatsSchema.describe('Since the base of the session'),
    proposed: commitSchema
      .optional()
      .describe('Present where a reviewer’s rejections and edits stand on top of the checkpoint'),
    conflicts: z.array(reviewConflictSchema).optional(),
    review: reviewCountsSchema,
  }),
  z.object({
    type: z.literal('reviewDecided'),
    verdict: reviewVerdictSchema,
    files: z.array(decidedFileSchema).describe('The first 50'),
    decided: z.int().nonnegative(),
    accepted: commitSchema,
    proposed: commitSchema,
    undoes: z.int().positive().optional().describe('The seq of the decision that is taken back'),
    reason: z.string().max(2000).optional().describe('The reviewer’s, for the agent'),
    review: reviewCountsSchema,
    stats: changeStatsSchema.describe('From the base of the session to the proposed tree'),
    by: z.string(),
  }),
  z
    .object({
      type: z.literal('restoreStarted'),
      turn: z.int().nonnegative().describe('Whose end is restored; 0 is the start of the session'),
      code: z.boolean(),
      conversation: z.boolean(),
      undoes: z.int().positive().optional().describe('The seq of the restore that is taken back'),
      by: z.string(),
    })
    .describe('Nothing that is in the log or in a checkpoint goes away by it'),
  z.object({
    type: z.literal('restoreFinished'),
    restore: z.int().positive().describe('The seq of its start'),
    code: z
      .object({
        saved: commitSchema.describe('The files as they were before'),
        checkpoint: commitSchema.describe('The files as they are now'),
        proposed: commitSchema.optional().describe('As in `turnFinished`'),
        conflicts: z.array(reviewConflictSchema).optional(),
        review: reviewCountsSchema,
        stats: changeStatsSchema,
      })
      .optional(),
    conversation: z
      .object({ id: z.string().optional().describe('Absent: the one that the session began with') })
      .optional()
      .describe('What the agent goes on with'),
  }),
  z
    .object({ type: z.literal('restoreFailed'), restore: z.int().positive(), failure: failureSchema })
    .describe('Everything is as it was before'),
  z
    .object({
      type: z.literal('sessionBranched'),
      from: z.object({ sessionId: sessionIdSchema, title: z.string() }),
      turn: z.int().nonnegative().describe('The last that both have'),
      title: z.string(),
      place: z
        .object({ provider: z.string(), isolation: isolationSchema })
        .optional()
        .describe('Where the other session is now; absent: as the log before it says'),
      by: z.string(),
    })
    .describe('What stands before it is the log of the session that this one was branched from'),
  z.object({
    type: z.literal('pullRequestOpened'),
    pullRequest: pullRequestSchema,
    created: z.boolean(),
    by: z.string(),
  }),
  z
    .object({ type: z.literal('pullRequestChanged'), pullRequest: pullRequestSchema })
    .describe('It stands another way on its forge than it did'),
  ...baseEvents,
  ...feedbackEvents,
  ...composingEvents,
  ...progressEvents,
  ...networkEvents,
  ...labelEvents,
  ...moveEvents,
  ...ruleEvents,
  ...importEvents,
  ...specEvents,
]);
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventType = EventBody['type'];
export type EventOf<T extends EventType> = Extract<EventBody, { type: T }>;

/** One entry of a session's log. `seq` starts at 1 and has no gaps; `at` is milliseconds since the epoch. */
export const sessionEventSchema = z
  .object({ seq: z.int().positive(), at: z.number(), body: eventBodySchema })
  .meta({ id: 'SessionEvent' });
export type SessionEvent = z.infer<typeof sessionEventSchema>;

/** Text that is being written now. Not in the log: the finished item is one event with the same `itemId`. */
export const liveItemSchema = z
  .object({
    itemId: z.string(),
    kind: z.enum(['text', 'thinking', 'toolInput']),
    text: z.string(),
    parentToolId: z.string().optional(),
  })
  .meta({ id: 'LiveItem' });
export type LiveItem = z.infer<typeof liveItemSchema>;
