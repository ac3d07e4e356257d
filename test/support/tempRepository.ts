import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder for each test of a suite, removed after it. Call it inside `describe`. */
export function useTempFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandpiper-test-')));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return () => folder;
}

/** Nobody's git configuration, fixed dates and names: the same commands give the same commits everywhere. */
export const GIT_TEST_ENV: Record<string, string> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'n',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_AUTHOR_DATE: '1795166960 +0000',
  GIT_COMMITTER_NAME: 'n',
  GIT_COMMITTER_EMAIL: 'a@b',
  GIT_COMMITTER_DATE: '1795166960 +0000',
};

/** Runs git as a developer would, to build what a test needs. Returns its output without the last newline. */
export function runGit(cwd: string, args: string[], options: { input?: string | Buffer; env?: object } = {}): string {
  return execFileSync('git', args, {
    cwd,
    env: { ...GIT_TEST_ENV, ...options.env },
    input: options.input ?? '',
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trimEnd();
}

/** Writes files, folders included; keys are paths. */
export function writeFiles(folder: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A repository with one commit of these files on `main`. */
export function makeRepository(folder: string, files: Record<string, string | Buffer> = { a: 'a\n' }): string {
  mkdirSync(folder, { recursive: true });
  runGit(folder, ['init', '-q', '-b', 'main']);
  writeFiles(folder, files);
  return commitAll(folder, 'base');
}

/** Commits everything; returns the commit. */
export function commitAll(folder: string, message: string): string {
  runGit(folder, ['add', '-A']);
  runGit(folder, ['commit', '-q', '--allow-empty', '-m', message]);
  return runGit(folder, ['rev-parse', 'HEAD']);
}
