import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../setup/command.ts';
import { type Missing, repositoryFolder } from '../setup/need.ts';
import { RUN_VARIABLE } from './leftovers.ts';
import type { Layer } from './layers.ts';
import { parseLines, type TestResult, testResultSchema } from './results.ts';

/** Where one test run keeps what it makes. */
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
 * @returns what was found about the layer itself, not by a test of it: a process that died or did not end
 */
export async function runLayer(layer: Layer, testRun: TestRun, missing: readonly Missing[]): Promise<TestResult[]> {
  const files = globSync(layer.specs, { cwd: repositoryFolder });
  const blocking = missing.find(({ need }) => layer.cannotDoWithout.some(other => other === need));
  if (blocking) {
    const reason = `${blocking.need} is missing: ${blocking.reason}. To get it: ${blocking.command}`;
    for (const file of files.toSorted()) {
      await appendFile(testRun.skipFile, `${JSON.stringify({ suite: `${layer.name}: ${basename(file)}`, reason })}\n`);
    }
    return [];
  }
  if (files.length === 0) {
    const reason = `no file matches ${layer.specs}`;
    await appendFile(testRun.skipFile, `${JSON.stringify({ suite: `${layer.name}: every test`, reason })}\n`);
    return [];
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
  const program =
    layer.name === 'editor'
      ? ['test/editor/runHost.ts']
      : ['test/support/runMocha.ts', '--layer', layer.name, ...grepOption(testRun), ...files.toSorted()];
  return runProcess(layer, program, env, testRun);
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

async function runProcess(layer: Layer, args: string[], env: NodeJS.ProcessEnv, testRun: TestRun) {
  const failedBefore = await failures(testRun, layer);
  // A group of its own, so that a layer that hangs can be ended with all it started.
  const child = spawn(process.execPath, args, {
    cwd: repositoryFolder,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  });
  const endChild = () => endGroup(child.pid);
  const onInterrupt = () => {
    endChild();
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endChild();
  }, layer.timeoutMs);
  const ended = await new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  clearTimeout(timer);
  process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
  if (timedOut) {
    return [failure(layer, 'the layer ends', `It was still running after ${layer.timeoutMs / 60_000} minutes.`)];
  }
  // Failed tests make the process fail too; a failure without one is the process's own.
  return ended !== undefined && (await failures(testRun, layer)) === failedBefore
    ? [failure(layer, 'the test process ends well', `It ended with ${ended}; what it printed is above.`)]
    : [];
}

async function failures(testRun: TestRun, layer: Layer): Promise<number> {
  const results = parseLines(await readFile(testRun.resultsFile, 'utf8'), testResultSchema);
  return results.filter(result => result.layer === layer.name && result.state === 'failed').length;
}

function failure(layer: Layer, title: string, error: string): TestResult {
  console.log(`  ✘ ${title}\n${error.trim().replaceAll(/^/gm, '      ')}`);
  return { layer: layer.name, title, state: 'failed', durationMs: 0, error };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
