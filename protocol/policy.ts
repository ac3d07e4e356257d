import * as z from 'zod';
import { commitSchema } from './eventParts.ts';

/** Where a repository says what may land in it, on the branch that it lands on. */
export const POLICY_PATH = '.sandpiper/policy.json';

export const policyRuleSchema = z
  .enum([
    'file',
    'paths.allow',
    'paths.deny',
    'protected',
    'sensitive',
    'limits.files',
    'limits.lines',
    'limits.bytes',
    'limits.fileBytes',
    'secrets',
    'licenseHeaders',
    'review',
  ])
  .meta({ id: 'PolicyRule' });
export type PolicyRule = z.infer<typeof policyRuleSchema>;

/** One rule that one file, or the whole of the work, breaks. With `file` the policy itself is broken. */
export const policyViolationSchema = z
  .object({
    rule: policyRuleSchema,
    path: z.string().optional().describe('Absent when it is about the whole'),
    line: z.int().positive().optional(),
    message: z.string().describe('What is wrong, a sentence'),
    hint: z.string().describe('What to do, a sentence'),
  })
  .meta({ id: 'PolicyViolation' });
export type PolicyViolation = z.infer<typeof policyViolationSchema>;

/** Where a policy was read. */
export const policySourceSchema = z
  .object({
    path: z.string(),
    commit: commitSchema,
    branch: z.string().optional().describe('The base branch on the forge; absent: what the session was made on'),
  })
  .meta({ id: 'PolicySource' });
export type PolicySource = z.infer<typeof policySourceSchema>;

/** One violation as a line for people. */
export function violationText({ path, line, message, hint }: PolicyViolation): string {
  const place = path === undefined ? '' : `${path}${line === undefined ? '' : `:${line}`}: `;
  return `${place}${message} ${hint}`;
}
