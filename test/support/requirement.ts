import { appendFileSync } from 'node:fs';
import type { Context } from 'mocha';

/**
 * Skips a test, or a suite from its `before`, that needs what this machine may not have; never silently. The test runner
 * names a file in SANDPIPER_SKIP_FILE and lists what stands in it, one JSON object a line: `{"suite","reason"}`.
 * On a build machine (CI=true) everything must be there: a skip is a failure.
 */
export function requireOrSkip(context: Context, name: string, available: boolean, reason: string): void {
  if (available) {
    return;
  }
  if (process.env['CI'] === 'true') {
    throw new Error(`${name} cannot be tested here: ${reason}`);
  }
  const file = process.env['SANDPIPER_SKIP_FILE'];
  if (file) {
    appendFileSync(file, `${JSON.stringify({ suite: name, reason })}\n`);
  }
  context.skip();
}
