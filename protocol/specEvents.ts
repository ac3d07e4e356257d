import * as z from 'zod';
import { commitSchema, payloadSchema } from './eventParts.ts';
import { idPattern } from './ids.ts';
import { specSchema } from './spec.ts';

/* What happens when a spec is built or checked in a session; a part of `eventBodySchema`. */

export const specIdSchema = z.string().regex(idPattern('spc')).meta({ id: 'SpecId' });

export const specRefSchema = z
  .object({ specId: specIdSchema, revision: z.int().positive(), title: z.string() })
  .meta({ id: 'SpecRef' });
export type SpecRef = z.infer<typeof specRefSchema>;

export const specBudgetSchema = z
  .object({
    maxTurns: z.int().min(1).max(200).default(10),
    maxCostUsd: z.number().positive().optional().describe('As the model gateway counts it'),
    maxMinutes: z.number().positive().max(10_080).optional().describe('Without the time that a person was waited for'),
    stuckAfter: z
      .int()
      .min(1)
      .max(50)
      .default(3)
      .describe('So many turns in a row after which every check was as before'),
  })
  .meta({ id: 'SpecBudget', description: 'Looked at after each turn: none is cut off in its middle' });
export type SpecBudget = z.infer<typeof specBudgetSchema>;

export const specOutcomeSchema = z
  .enum(['passed', 'notPassed', 'budget', 'stuck', 'stopped', 'failed'])
  .meta({ id: 'SpecOutcome' });
export type SpecOutcome = z.infer<typeof specOutcomeSchema>;

const work = z.int().positive().describe('The seq of its start');

export const specEvents = [
  z
    .object({
      type: z.literal('specWorkStarted'),
      kind: z.enum(['build', 'check']).describe('Turn after turn until the checks pass, or the checks once'),
      spec: specRefSchema,
      document: specSchema.describe('As it was then: what is checked'),
      budget: specBudgetSchema.optional().describe('Of a build'),
      messageId: z.string().optional().describe('Of a build: the message that begins it'),
      by: z.string(),
    })
    .describe('Ends the one before it'),
  z.object({
    type: z.literal('specRoundStarted'),
    work,
    round: z.int().positive(),
    turn: z.int().nonnegative().describe('After which the checks run'),
    commit: commitSchema.describe('The checkpoint that they run on'),
  }),
  z.object({
    type: z.literal('specChecked'),
    work,
    round: z.int().positive(),
    check: z.string().describe('`2.1`: the first check of the second item'),
    outcome: z.enum(['passed', 'failed']),
    detail: z.string().describe('One short sentence: the exit code, who said yes'),
    durationMs: z.number().nonnegative(),
    output: payloadSchema.optional().describe('The end of what was printed'),
  }),
  z
    .object({
      type: z.literal('specTurnAsked'),
      work,
      round: z.int().positive().describe('Whose failed checks the message names'),
      messageId: z.string(),
    })
    .describe('The build goes on with another turn'),
  z.object({ type: z.literal('specWorkEnded'), work, outcome: specOutcomeSchema, reason: z.string() }),
  z
    .object({ type: z.literal('specExtractAsked'), messageId: z.string(), by: z.string() })
    .describe('The answer to this message is to be kept as a spec'),
  z
    .object({
      type: z.literal('specExtracted'),
      messageId: z.string(),
      spec: specRefSchema.optional().describe('Absent when the answer could not be kept'),
      problem: z.string().optional().describe('Why; the answer is in the log'),
    })
    .describe('What came of it'),
] as const;
