import { z } from 'zod';

const pullSchema = z.object({ number: z.int().positive(), url: z.string() });

/** What was done on the forge, as it stood then. */
const askSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('issue'),
    number: z.int().positive(),
    url: z.string(),
    title: z.string(),
    body: z.string(),
    author: z.string(),
    /** The comment that asks for it; absent when the label does. */
    comment: z.object({ id: z.int(), url: z.string(), body: z.string() }).optional(),
  }),
  z.object({
    kind: z.literal('comment'),
    pull: pullSchema,
    comment: z.object({ id: z.int(), url: z.string(), body: z.string() }),
  }),
  z.object({
    kind: z.literal('review'),
    pull: pullSchema,
    review: z.object({
      id: z.int(),
      url: z.string(),
      body: z.string().optional(),
      approves: z.boolean().optional(),
      at: z.string(),
    }),
  }),
  z.object({ kind: z.literal('checks'), pull: pullSchema, headCommit: z.string() }),
  z.object({ kind: z.literal('close'), pull: pullSchema, merged: z.boolean() }),
]);
export type Ask = z.infer<typeof askSchema>;

const outcomeSchema = z.object({
  /** `person`: it is done as far as it goes without one. */
  kind: z.enum(['completed', 'failed', 'person']),
  /** What the agent said last. */
  text: z.string(),
  /** What a person should know, when it is not completed. */
  reason: z.string().optional(),
  changed: z.boolean(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** A comment of a review that is worked on, by the name that the agent knows it by. */
const itemSchema = z.object({
  label: z.string(),
  id: z.int(),
  threadId: z.int(),
});

/**
 * How far a request is. `accepted`: nothing is done yet. `working`: the agent has it. `finished`: its turn is over, and what
 * came of it is brought to the forge. `done`.
 */
export const requestDataSchema = z.object({
  stage: z.enum(['accepted', 'working', 'finished', 'done']),
  repository: z.object({ forge: z.string(), host: z.string(), owner: z.string(), name: z.string() }),
  by: z.string(),
  ask: askSchema,
  /** The session is named when it begins. */
  messageId: z.string().optional(),
  /** The session was begun for it, so that the pull request is, too. */
  begins: z.boolean().optional(),
  /** The issue was told that it is worked on. */
  announced: z.boolean().optional(),
  items: z.array(itemSchema).optional(),
  outcome: outcomeSchema.optional(),
  /** The pull request that was opened or pushed to, and the commit. */
  landed: pullSchema.extend({ commit: z.string(), created: z.boolean() }).optional(),
  /** The forge took neither push nor pull request, and what was changed may be shown to those who see the issue. */
  asPatch: z.boolean().optional(),
  /** Why nothing more is done. */
  note: z.string().optional(),
});
export type RequestData = z.infer<typeof requestDataSchema>;

export function readRequestData(text: string): RequestData {
  return requestDataSchema.parse(JSON.parse(text));
}

/** For lists. */
export function stageOf(data: string): string {
  return readRequestData(data).stage;
}
