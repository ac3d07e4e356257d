import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An environment in which git sees no configuration and no credentials but those that are given. */
export function plainGitEnv(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: tmpdir(),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
    LC_ALL: 'C',
    ...extra,
  };
}

/** Runs git in a folder; its trimmed output. Rejects with `stderr` when it fails. */
export async function plainGit(
  folder: string,
  args: readonly string[],
  extra?: Record<string, string>,
): Promise<string> {
  const running = run('git', [...args], { cwd: folder, env: plainGitEnv(extra), maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end();
  return (await running).stdout.trim();
}
