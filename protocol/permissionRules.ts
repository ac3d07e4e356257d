import * as z from 'zod';

/* What an agent may do without asking because a person said "always". */

/** A tool, or a tool with what of it: `Bash(npm test:*)`, `Edit(src/**)`, `WebFetch(domain:example.com)`. */
export const ruleTextSchema = z
  .string()
  .max(600)
  .regex(/^[A-Za-z_][\w-]{0,199}(\([^\n\r]{1,500}\))?$/)
  .describe('A tool of the agent, or a tool with a pattern in parentheses, as the agent reads it')
  .meta({ id: 'RuleText' });

export const ruleScopeSchema = z.enum(['session', 'repository', 'everywhere']).meta({ id: 'RuleScope' });
export type RuleScope = z.infer<typeof ruleScopeSchema>;

export const MAX_RULES = 200;

/** A part of `eventBodySchema`. */
export const ruleEvents = [
  z
    .object({
      type: z.literal('rulesChanged'),
      rules: z.array(ruleTextSchema).max(MAX_RULES).describe('All that hold in this session alone'),
      by: z.string(),
    })
    .describe('An agent that runs without them gets them when it is started for the next message'),
] as const;

/** Rules after a change, in the order in which they came. */
export function changedRules(rules: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  return [...new Set([...rules, ...add])].filter(rule => !remove.includes(rule));
}

/** A rule that leaves nothing to ask about a tool, which a person should know before they keep it. */
export function isWideRule(rule: string): boolean {
  return /^(Bash|Edit|Write|MultiEdit|NotebookEdit)(\((\*|\*\*|:\*|\/\*\*|\/\/\*\*)\))?$/.test(rule);
}
