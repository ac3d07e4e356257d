import { appendFileSync } from 'node:fs';
import { noteLeftovers } from '../../scripts/test/census.ts';
import { RUN_VARIABLE } from '../../scripts/test/leftovers.ts';
import Mocha, { type Runnable, type Runner, type Suite, type Test } from 'mocha';

/*
 * Mocha's view of a run, for a person (one line a suite, failures in full) and as JSON lines in the file that
 * SANDPIPER_RESULTS names. Each result is written as it happens, so a crash loses none. It works in the extension host too.
 */

interface Options {
  layer: string;
  /** Where results go; undefined writes none. */
  file: string | undefined;
  /** Takes a line for a person. */
  print: (line: string) => void;
}

/** A reporter for mocha's `reporter` option. */
export function reporterFor(options: Options): Mocha.ReporterConstructor {
  return class extends Mocha.reporters.Base {
    constructor(runner: Runner) {
      super(runner);
      followRun(runner, options);
    }
  };
}

function followRun(runner: Runner, { layer, file, print }: Options): void {
  const counts = { passed: 0, failed: 0, startedAt: Date.now() };
  const record = (test: Runnable, state: 'passed' | 'failed' | 'skipped', error?: string) => {
    if (file) {
      const result = { layer, title: test.fullTitle(), state, durationMs: test.duration ?? 0, error };
      appendFileSync(file, `${JSON.stringify(result)}\n`);
    }
  };
  runner.on('suite', (suite: Suite) => {
    if (suite.parent?.root) {
      Object.assign(counts, { passed: 0, failed: 0, startedAt: Date.now() });
    }
  });
  runner.on('pass', (test: Test) => {
    counts.passed++;
    record(test, 'passed');
  });
  runner.on('pending', (test: Test) => {
    print(`  - not run: ${test.fullTitle()}`);
    record(test, 'skipped');
  });
  runner.on('fail', (test: Test, error: unknown) => {
    counts.failed++;
    const text = describe(error);
    record(test, 'failed', text);
    print(`  ✘ ${test.fullTitle()}\n${text.replaceAll(/^/gm, '      ')}`);
  });
  runner.on('suite end', (suite: Suite) => {
    if (suite.parent?.root) {
      lookAround(suite.title);
      const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
      const mark = counts.failed > 0 ? '✘' : '✔';
      print(`  ${mark} ${suite.title} (${counts.passed} passed${failed}, ${Date.now() - counts.startedAt} ms)`);
    }
  });
}

/** Notes what is there now, for the census: it tells which suite left a thing. */
function lookAround(suite: string): void {
  const { SANDPIPER_LOOKS: file, SANDPIPER_RUN_FOLDER: folder } = process.env;
  const id = process.env[RUN_VARIABLE];
  if (file !== undefined && folder !== undefined && id !== undefined) {
    noteLeftovers(file, suite, { id, folder });
  }
}

/** Message, stack and, for an assertion, what was expected and what came. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return `thrown: ${String(error)}`;
  }
  return error.stack?.includes(error.message) ? error.stack : `${error.message}\n${error.stack ?? ''}`;
}
