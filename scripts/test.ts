import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMissing, setUp } from './setup.ts';
import { LAYERS } from './test/layers.ts';
import {
  closingLine,
  judge,
  parseLines,
  skippedSuiteSchema,
  type TestResult,
  testResultSchema,
} from './test/results.ts';
import { countLeftovers, runLayer, type TestRun } from './test/runLayer.ts';

/*
 * `npm test`: brings what is needed, runs every layer, takes a census after each, and closes with one line of counts.
 * The exit code is 0 only when nothing failed. With CI=true a suite that did not run counts as failed.
 */

const USAGE = `npm test [-- options]
  --only ${LAYERS.map(({ name }) => name).join('|')}   run one layer; may be given more than once
  --grep <text>     only tests whose full title contains the text
  --allow-skips     a suite that cannot run here is no failure, also with CI=true`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    grep: { type: 'string' },
    'allow-skips': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const unknown = values.only.find(name => !LAYERS.some(layer => layer.name === name));
if (values.help || unknown !== undefined) {
  console.log(unknown === undefined ? USAGE : `There is no layer "${unknown}".\n${USAGE}`);
  process.exit(unknown === undefined ? 0 : 2);
}

const skipsFail = process.env['CI'] === 'true' && !values['allow-skips'];
const chosen = LAYERS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
const startedAt = Date.now();

// Short, because the sockets that tests open in it may have about 100 bytes of path.
const folder = await mkdtemp(join(tmpdir(), 'sp-'));
// Tests that run as another user must be able to pass through it.
await chmod(folder, 0o711);
const notes = await mkdtemp(join(tmpdir(), 'sp-results-'));
try {
  process.exitCode = await runAll();
} finally {
  await rm(folder, { recursive: true, force: true });
  await rm(notes, { recursive: true, force: true });
}

async function runAll(): Promise<number> {
  const testRun: TestRun = {
    id: randomBytes(8).toString('hex'),
    folder,
    resultsFile: join(notes, 'results.jsonl'),
    looksFile: join(notes, 'looks.jsonl'),
    skipFile: join(notes, 'skips.jsonl'),
    skipsFail,
    grep: values.grep,
  };
  await writeFile(testRun.resultsFile, '');
  await writeFile(testRun.skipFile, '');

  const setUpAt = Date.now();
  const needs = [...new Set(chosen.flatMap(layer => layer.needs))];
  const { missing } = await setUp(needs, line => console.log(`setup: ${line}`));
  for (const miss of missing) {
    console.log(`setup: ${describeMissing(miss)}`);
  }
  console.log(`setup: done in ${seconds(setUpAt)}`);

  // Nothing can be said of the product without these two.
  const fatal = missing.filter(({ need }) => need === 'git' || need === 'bundles');
  const own: TestResult[] = fatal.map(miss => ({
    layer: 'setup',
    title: `setup brings ${miss.need}`,
    state: 'failed',
    durationMs: 0,
    error: describeMissing(miss),
  }));
  for (const layer of fatal.length > 0 ? [] : chosen) {
    const layerAt = Date.now();
    console.log(`\n${layer.name}: ${layer.about}`);
    own.push(...(await runLayer(layer, testRun, missing)), ...(await countLeftovers(layer, testRun)));
    console.log(`  ${seconds(layerAt)}`);
  }
  return conclude(testRun, own);
}

async function conclude(testRun: TestRun, own: TestResult[]): Promise<number> {
  const results = [...parseLines(await readFile(testRun.resultsFile, 'utf8'), testResultSchema), ...own];
  const suites = parseLines(await readFile(testRun.skipFile, 'utf8'), skippedSuiteSchema);
  const verdict = judge(results, suites, skipsFail);
  const failed = results.filter(({ state }) => state === 'failed');
  if (failed.length > 0) {
    console.log('\nFailed:');
    for (const { layer, title } of failed) {
      console.log(`  ${layer}: ${title}`);
    }
  }
  if (verdict.notRun.length > 0) {
    console.log(`\nDid not run${skipsFail ? ' (a failure with CI=true)' : ''}:`);
    for (const { suite, reason } of verdict.notRun) {
      console.log(`  ${suite}: ${reason}`);
    }
  }
  const ran = verdict.passed + verdict.failed > 0;
  console.log(`\n${ran ? `Done in ${seconds(startedAt)}` : 'No test ran'}\n\n${closingLine(verdict)}`);
  return verdict.failed === 0 && ran ? 0 : 1;
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
