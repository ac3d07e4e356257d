import { z } from 'zod';

/*
 * What a test run found, from the two JSON-lines files that test processes append to, and what the person is told about it.
 * The files are read back even when a test process died, so no count comes from parsing output meant for people.
 */

export const testResultSchema = z.object({
  layer: z.string(),
  title: z.string(),
  state: z.enum(['passed', 'failed', 'skipped']),
  durationMs: z.number(),
  error: z.string().optional(),
});
export type TestResult = z.infer<typeof testResultSchema>;

/** A suite that could not run on this machine: one line in the file that SANDPIPER_SKIP_FILE names. */
export const skippedSuiteSchema = z.object({ suite: z.string(), reason: z.string() });
export type SkippedSuite = z.infer<typeof skippedSuiteSchema>;

export interface Verdict {
  passed: number;
  failed: number;
  skipped: number;
  /** Everything that did not run, by name, with the reason. */
  notRun: SkippedSuite[];
}

/**
 * Adds up a run. With `skipsFail`, what did not run counts as failed.
 * Tests skipped inside a suite that is itself reported are told once, by the suite.
 */
export function judge(results: readonly TestResult[], suites: readonly SkippedSuite[], skipsFail: boolean): Verdict {
  const unique = suites.filter((one, index) => suites.findIndex(other => other.suite === one.suite) === index);
  const ownSkips = results.filter(
    ({ state, title }) => state === 'skipped' && !unique.some(({ suite }) => title.startsWith(suite)),
  );
  const notRun = [
    ...unique,
    ...ownSkips.map(({ title, error }) => ({ suite: title, reason: error ?? 'marked as skipped in the source' })),
  ];
  const count = (state: TestResult['state']) => results.filter(result => result.state === state).length;
  return {
    passed: count('passed'),
    failed: count('failed') + (skipsFail ? notRun.length : 0),
    skipped: skipsFail ? 0 : notRun.length,
    notRun,
  };
}

/** The last line of a run; CI reads the counts from it, so its form is fixed. */
export function closingLine({ passed, failed, skipped }: Verdict): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Reads JSON lines; a last line that a dying process cut off is an error like any other bad line. */
export function parseLines<T>(text: string, schema: z.ZodType<T>): T[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => schema.parse(JSON.parse(line)));
}
