import * as z from 'zod';

/* What an agent says of its own work: its list of things to do, what it does in the background, how full its memory is. */

const todoStatusSchema = z.enum(['pending', 'active', 'done']).meta({ id: 'TodoStatus' });
export type TodoStatus = z.infer<typeof todoStatusSchema>;

/** A change of one thing to do. What is absent stays as it was. */
export const todoChangeSchema = z
  .object({
    id: z.string().max(200),
    text: z.string().max(2000).optional(),
    doing: z.string().max(2000).optional().describe('What it is called while the agent does it'),
    status: z.union([todoStatusSchema, z.literal('removed')]).optional(),
  })
  .meta({ id: 'TodoChange' });
export type TodoChange = z.infer<typeof todoChangeSchema>;

export interface Todo {
  id: string;
  text: string;
  doing?: string;
  status: TodoStatus;
}

/** How much of what the model can hold in mind the conversation fills. */
export interface ContextUse {
  tokens: number;
  /** What the model holds at most. Absent before the agent said so. */
  window?: number;
}

/** A part of `eventBodySchema`. */
export const progressEvents = [
  z
    .object({
      type: z.literal('todosChanged'),
      changes: z.array(todoChangeSchema).max(500),
      replaces: z.boolean().describe('The list is these and no others'),
    })
    .describe('The list of things to do that the agent keeps'),
  z
    .object({ type: z.literal('taskStarted'), toolId: z.string() })
    .describe('What a tool call began goes on by itself, also after the call is answered: a subagent, a command'),
  z.object({
    type: z.literal('taskFinished'),
    toolId: z.string(),
    outcome: z.enum(['ok', 'failed', 'stopped']),
    tokens: z.int().nonnegative().optional(),
    toolUses: z.int().nonnegative().optional(),
  }),
  z
    .object({
      type: z.literal('contextMeasured'),
      tokens: z.int().nonnegative().describe('What the last request to the model held'),
      window: z.int().positive().optional().describe('What the model can hold'),
    })
    .describe('As the agent says it; often enough for a meter'),
] as const;
