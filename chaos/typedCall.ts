import { z } from 'zod';
import type { RelayClient } from '../client/relayClient.ts';
import { calls } from '../protocol/calls.ts';
import { textOf } from './work.ts';
import type { SessionPlan } from './plan.ts';

/*
 * What the person types, in the words of the wire. The parameters of a deed are as they were when it was typed: they go to
 * the relay in the same form however often it is sent.
 */

const ofDeed = { sessionId: z.string(), deed: z.int() };
const withoutNames = { key: true, sessionId: true } as const;

const deedSchemas = [
  z.object({
    call: z.literal('review.decide'),
    ...ofDeed,
    params: calls['review.decide'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('changes.acceptAll'),
    ...ofDeed,
    params: calls['changes.acceptAll'].params.omit(withoutNames),
  }),
  z.object({ call: z.literal('review.edit'), ...ofDeed, params: calls['review.edit'].params.omit(withoutNames) }),
  z.object({
    call: z.literal('review.resolve'),
    ...ofDeed,
    params: calls['review.resolve'].params.omit(withoutNames),
  }),
  z.object({ call: z.literal('review.undo'), ...ofDeed, params: calls['review.undo'].params.omit(withoutNames) }),
  z.object({
    call: z.literal('review.comment'),
    ...ofDeed,
    params: calls['review.comment'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('review.editComment'),
    ...ofDeed,
    params: calls['review.editComment'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('review.deleteComment'),
    ...ofDeed,
    params: calls['review.deleteComment'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('checkpoint.restore'),
    ...ofDeed,
    params: calls['checkpoint.restore'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('checkpoint.undo'),
    ...ofDeed,
    params: calls['checkpoint.undo'].params.omit(withoutNames),
  }),
  z.object({
    call: z.literal('checkpoint.branch'),
    ...ofDeed,
    params: calls['checkpoint.branch'].params.omit(withoutNames),
  }),
] as const;

export const deedCallSchema = z.discriminatedUnion('call', deedSchemas);
export type DeedCall = z.infer<typeof deedCallSchema>;

export const typedCallSchema = z.discriminatedUnion('call', [
  z.object({ call: z.literal('session.create'), index: z.int() }),
  z.object({ call: z.literal('session.send'), sessionId: z.string(), text: z.string() }),
  z.object({ call: z.literal('review.submit'), sessionId: z.string(), text: z.string() }),
  z.object({
    call: z.literal('session.answer'),
    sessionId: z.string(),
    approvalId: z.string(),
    decision: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('allow') }),
      z.object({ kind: z.literal('deny') }),
    ]),
  }),
  /** `since` tells one failure from the next. */
  z.object({ call: z.literal('session.retry'), sessionId: z.string(), since: z.number() }),
  ...deedSchemas,
]);
export type TypedCall = z.infer<typeof typedCallSchema>;

/** What the relay answered, as far as it names what was made. */
export const answerSchema = z.object({
  sessionId: z.string().optional(),
  seq: z.int().optional(),
  messageId: z.string().optional(),
  commentId: z.string().optional(),
  restore: z.int().optional(),
});
export type Answer = z.infer<typeof answerSchema>;

/** Makes the call once. @throws what the client throws */
export async function makeCall(
  client: RelayClient,
  { key, typed }: { key: string; typed: TypedCall },
  session: { plan: SessionPlan; repository: string },
  timeoutMs: number,
): Promise<Answer> {
  return answerSchema.parse(await send(client, key, typed, session, { timeoutMs }));
}

function send(
  client: RelayClient,
  key: string,
  typed: TypedCall,
  { plan, repository }: { plan: SessionPlan; repository: string },
  options: { timeoutMs: number },
): Promise<unknown> {
  switch (typed.call) {
    case 'session.create': {
      const [first] = plan.messages;
      return client.call(
        'session.create',
        {
          key,
          source: repository,
          prompt: first ? textOf(first) : '',
          title: `chaos ${plan.index}`,
          permissionMode: plan.permissionMode,
          acceptNoIsolation: true,
        },
        options,
      );
    }
    case 'session.send': {
      const { sessionId, text } = typed;
      return client.call('session.send', { key, sessionId, text }, options);
    }
    case 'review.submit': {
      const { sessionId, text } = typed;
      return client.call('review.submit', { key, sessionId, text }, options);
    }
    case 'session.answer': {
      const { sessionId, approvalId, decision } = typed;
      return client.call('session.answer', { key, sessionId, approvalId, decision }, options);
    }
    case 'session.retry':
      return client.call('session.retry', { key, sessionId: typed.sessionId }, options);
    default:
      return sendDeed(client, key, typed, options);
  }
}

function sendDeed(client: RelayClient, key: string, typed: DeedCall, options: { timeoutMs: number }): Promise<unknown> {
  const { sessionId } = typed;
  const named = { key, sessionId };
  switch (typed.call) {
    case 'review.decide':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'changes.acceptAll':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.edit':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.resolve':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.undo':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.comment':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.editComment':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'review.deleteComment':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'checkpoint.restore':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'checkpoint.undo':
      return client.call(typed.call, { ...named, ...typed.params }, options);
    case 'checkpoint.branch':
      return client.call(typed.call, { ...named, ...typed.params }, options);
  }
}
