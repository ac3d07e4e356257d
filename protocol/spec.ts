import * as z from 'zod';
import { sectionProblem } from './specSections.ts';

/*
 * What a spec says: what is to be built, in items, and by which checks each item is known to be done. Its text form is in
 * specText.ts; the two hold the same.
 */

export const MAX_SPEC_CHARACTERS = 60_000;
export const DEFAULT_CHECK_SECONDS = 600;

const PLAIN_LINE = /^[^\p{Cc}\u2028\u2029]+$/u;

function line(maxLength: number) {
  return z
    .string()
    .min(1, 'it is empty')
    .max(maxLength, `it is longer than ${maxLength} characters`)
    .refine(text => PLAIN_LINE.test(text), 'it has control characters')
    .refine(text => text === text.trim(), 'it begins or ends with a space');
}

const section = z.string().superRefine((text, context) => {
  const problem = sectionProblem(text);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', message: problem });
  }
});

const path = line(500).refine(isInside, 'it is not a path inside the repository, like `docs/guide.md`');

/** Whether a path names something inside the repository whatever the system. */
function isInside(text: string): boolean {
  return !/^[/~]|\\|^[a-z]:/i.test(text) && text.split('/').every(part => part !== '' && part !== '.' && part !== '..');
}

const timeoutSeconds = z
  .int()
  .min(1)
  .max(3600, 'a check may take an hour at most')
  .default(DEFAULT_CHECK_SECONDS)
  .describe('After this the check has failed');

export const checkSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('command'),
      command: line(2000).describe('For `sh`, in the repository’s folder in the sandbox'),
      exitCode: z.int().min(0).max(255, 'an exit code is 0 to 255').default(0),
      timeoutSeconds,
    }),
    z
      .object({ kind: z.literal('test'), path, command: line(2000), timeoutSeconds })
      .describe('The file exists in the checkpoint, and the command ends with exit code 0'),
    z.object({ kind: z.literal('file'), path }).describe('The file exists in the checkpoint'),
    z.object({ kind: z.literal('question'), question: line(1000) }).describe('A person says yes'),
  ])
  .meta({ id: 'SpecCheck' });
export type SpecCheck = z.infer<typeof checkSchema>;

export const specItemSchema = z
  .object({
    title: line(200),
    text: section.describe('Markdown; may be empty'),
    checks: z.array(checkSchema).min(1, 'it has no check').max(20, 'it has more than 20 checks'),
  })
  .meta({ id: 'SpecItem' });
export type SpecItem = z.infer<typeof specItemSchema>;

export const specSchema = z
  .object({
    title: line(200),
    goal: section.describe('Markdown; may be empty'),
    items: z.array(specItemSchema).min(1, 'it has no item').max(50, 'it has more than 50 items'),
  })
  .meta({ id: 'Spec' });
export type Spec = z.infer<typeof specSchema>;
