import * as z from 'zod';
import { lineRangeSchema } from './feedback.ts';

/* Where lines of a session's files come from. */

const toolCallSchema = z.object({ id: z.string(), name: z.string(), title: z.string() });

export const lineOriginSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('base') }).describe('It was there before the session'),
    z
      .object({ kind: z.literal('reviewer'), by: z.string(), submission: z.int().positive().optional() })
      .describe('A reviewer wrote or restored it; `submission`: and it was handed to the agent with that review'),
    z
      .object({
        kind: z.literal('turn'),
        turn: z.int().positive(),
        startedAt: z.number(),
        prompt: z.string().describe('The message that began the turn, its first 500 characters; empty without one'),
        itemId: z.string().optional().describe('The row of the chat to jump to: the tool call, or the message'),
        model: z.string().optional().describe('Absent: the agent’s own default'),
        costUsd: z.number().nonnegative().describe('Of the whole turn'),
        tools: z
          .array(toolCallSchema)
          .describe('The tool calls that may have written it, the likely ones first, at most 5'),
        certain: z.boolean().describe('The one tool call wrote these very words'),
      })
      .describe('The agent wrote it in this turn'),
    z.object({ kind: z.literal('unknown') }).describe('The log does not say: for instance a restored state'),
  ])
  .meta({ id: 'LineOrigin' });
export type LineOrigin = z.infer<typeof lineOriginSchema>;

export const blamedSchema = lineRangeSchema
  .extend({
    origin: lineOriginSchema,
    accepted: z.boolean().describe('These lines are in the accepted tree as they are'),
    acceptedBy: z.string().optional().describe('Who accepted last in this file'),
  })
  .meta({ id: 'BlamedLines' });
export type Blamed = z.infer<typeof blamedSchema>;
