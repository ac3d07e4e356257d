import { globSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../setup/command.ts';
import { type Missing, repositoryFolder } from '../setup/need.ts';
import { takeCensus } from './census.ts';
import { RUN_VARIABLE } from './leftovers.ts';
import type { Layer } from './layers.ts';
import { parseLines, type TestResult, testResultSchema } from './results.ts';
import { runTestProcess } from './testProcess.ts';

/** Where one test run, or one of the processes of a layer, keeps what it makes. */
export interface TestRun {
  id: string;
  /** The temporary folder of everything that the run starts. */
  folder: string;
  resultsFile: string;
  /** What was there after each suite. */
  looksFile: string;
  skipFile: string;
  /** A suite that cannot run here counts as failed. */
  skipsFail: boolean;
  /** Only tests whose full title contains this. */
  grep: string | undefined;
}

/** Variables that could make a test spend real money, touch a real account, or behave as on this machine only. */
const KEPT_OUT = /^(CI$|ANTHROPIC_|CLAUDE|SANDPIPER_|GH_|GITHUB_TOKEN$|GIT_|XDG_|NODE_OPTIONS$|npm_)/;

/**
 * Runs one layer in processes of its own; all it finds is in the run's results file.
 * @returns what was found about the layer itself, not by a test of it: a process that died or did not end, what was left
 */
export async function runLayer(layer: Layer, testRun: TestRun, missing: readonly Missing[]): Promise<TestResult[]> {
  const files = globSync(layer.specs, { cwd: repositoryFolder }).toSorted();
  const blocking = missing.find(({ need }) => layer.cannotDoWithout.some(other => other === need));
  if (blocking) {
    const reason = `${blocking.need} is missing: ${blocking.reason}. To get it: ${blocking.command}`;
    for (const file of files) {
      await appendFile(testRun.skipFile, `${JSON.stringify({ suite: `${layer.name}: ${basename(file)}`, reason })}\n`);
    }
    return [];
  }
  if (files.length === 0) {
    const reason = `no file matches ${layer.specs}`;
    await appendFile(testRun.skipFile, `${JSON.stringify({ suite: `${layer.name}: every test`, reason })}\n`);
    return [];
  }
  if (layer.filesAtOnce !== undefined) {
    return runFiles(layer, layer.filesAtOnce, files, testRun);
  }
  const env = await environmentFor(testRun);
  if (layer.name === 'ui') {
    const packaged = await run(process.execPath, ['scripts/package.ts', '--quiet'], {
      cwd: repositoryFolder,
      env,
      timeoutMs: 300_000,
    });
    const vsix = packaged.output.trim().split('\n').at(-1);
    if (packaged.code !== 0 || !vsix) {
      return [failure(layer, 'the extension packages', packaged.output)];
    }
    env['SANDPIPER_VSIX'] = vsix;
  }
  return runTests(layer, files, env, testRun, 'live');
}

/** Each file in a process, a temporary folder and a census of its own, so that none is blamed for another. */
async function runFiles(layer: Layer, atOnce: number, files: readonly string[], testRun: TestRun) {
  const waiting = files.map((file, index) => ({ file, part: partOf(testRun, index) }));
  const found: TestResult[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { file, part } = next;
      // Tests that run as another user must be able to pass through it.
      await mkdir(part.folder, { mode: 0o711 });
      await writeFile(part.resultsFile, '');
      found.push(...(await runTests(layer, [file], await environmentFor(part), part, 'held')));
      found.push(...(await countLeftovers(layer, part)));
      await appendFile(testRun.resultsFile, await readFile(part.resultsFile));
      await rm(part.folder, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

/** Names of equal length: none begins with another. Short, because of the sockets. */
function partOf(testRun: TestRun, index: number): TestRun {
  const name = index.toString(36).padStart(2, '0');
  return {
    ...testRun,
    id: `${testRun.id}-${name}`,
    folder: join(testRun.folder, name),
    resultsFile: `${testRun.resultsFile}.${name}`,
    looksFile: `${testRun.looksFile}.${name}`,
  };
}

/** What a layer, or a part of it, left on the machine; it is gone afterwards. */
export async function countLeftovers(layer: Layer, testRun: TestRun): Promise<TestResult[]> {
  const leftovers = await takeCensus(testRun.id, testRun.folder, undefined, testRun.looksFile);
  return leftovers.map(({ pid, what }) => {
    const error = pid === undefined ? `left: ${what}` : `left running: ${pid} ${what}`;
    console.log(`  ✘ census: ${error}`);
    return { layer: layer.name, title: 'the census finds nothing left', state: 'failed', durationMs: 0, error };
  });
}

async function runTests(
  layer: Layer,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
  testRun: TestRun,
  output: 'live' | 'held',
): Promise<TestResult[]> {
  const args =
    layer.name === 'editor'
      ? ['test/editor/runHost.ts']
      : ['test/support/runMocha.ts', '--layer', layer.name, ...grepOption(testRun), ...files];
  const failedBefore = await failures(testRun, layer);
  const ended = await runTestProcess({ args, env, timeoutMs: layer.timeoutMs, output });
  const what = files.length === 1 && files[0] !== undefined ? basename(files[0]) : 'the layer';
  switch (ended.kind) {
    case 'well':
      return [];
    case 'timedOut':
      return [failure(layer, `${what} ends`, `It was still running after ${layer.timeoutMs / 60_000} minutes.`)];
    case 'badly':
      // Failed tests make the process fail too; a failure without one is the process's own.
      return (await failures(testRun, layer)) === failedBefore
        ? [failure(layer, `the process of ${what} ends well`, `It ended with ${ended.how}; what it printed is above.`)]
        : [];
  }
}

function grepOption({ grep }: TestRun): string[] {
  return grep === undefined ? [] : ['--grep', grep];
}

async function environmentFor(testRun: TestRun): Promise<NodeJS.ProcessEnv> {
  const inherited = Object.entries(process.env).filter(([name]) => !KEPT_OUT.test(name));
  // Nothing of the person who runs the tests is read or written: no ~/.gitconfig, no ~/.claude.
  const home = join(testRun.folder, 'home');
  await mkdir(home, { recursive: true });
  return {
    ...Object.fromEntries(inherited),
    HOME: home,
    USERPROFILE: home,
    TMPDIR: testRun.folder,
    TEMP: testRun.folder,
    TMP: testRun.folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...(testRun.skipsFail && { CI: 'true' }),
    [RUN_VARIABLE]: testRun.id,
    SANDPIPER_RESULTS: testRun.resultsFile,
    SANDPIPER_LOOKS: testRun.looksFile,
    SANDPIPER_RUN_FOLDER: testRun.folder,
    SANDPIPER_SKIP_FILE: testRun.skipFile,
    ...(process.env['SANDPIPER_CHROMIUM'] && { SANDPIPER_CHROMIUM: process.env['SANDPIPER_CHROMIUM'] }),
    ...(testRun.grep !== undefined && { SANDPIPER_TEST_GREP: testRun.grep }),
  };
}

async function failures(testRun: TestRun, layer: Layer): Promise<number> {
  const results = parseLines(await readFile(testRun.resultsFile, 'utf8'), testResultSchema);
  return results.filter(result => result.layer === layer.name && result.state === 'failed').length;
}

function failure(layer: Layer, title: string, error: string): TestResult {
  console.log(`  ✘ ${title}\n${error.trim().replaceAll(/^/gm, '      ')}`);
  return { layer: layer.name, title, state: 'failed', durationMs: 0, error };
}
