import { spawn } from 'node:child_process';
import { SandpiperError } from '../protocol/errors.ts';
import { t } from '../protocol/text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface GitRun {
  cwd?: string;
  /** What this process got; nothing of git's own in it is handed on. */
  environment: Environment;
  stdin?: Uint8Array;
  timeoutMs?: number;
}

export interface GitResult {
  code: number | undefined;
  stdout: Buffer;
  stderr: string;
}

const TIMEOUT_MS = 5 * 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const MAX_STDERR_BYTES = 64 * 1024;

/** Runs git, never through a shell, and hands back how it ended. @throws `unavailable` without git, `timeout`, `too_large` */
export function tryGit(args: readonly string[], run: GitRun): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--no-pager', '-c', 'core.fsmonitor=false', '-c', 'gc.auto=0', ...args], {
      env: gitEnvironment(run.environment),
      ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let failure: SandpiperError | undefined;
    const fail = (error: SandpiperError): void => {
      failure ??= error;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(
      () => fail(new SandpiperError('timeout', t('git {0} took too long.', args[0] ?? ''))),
      run.timeoutMs ?? TIMEOUT_MS,
    );
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_OUTPUT_BYTES) {
        fail(new SandpiperError('too_large', t('git {0} printed more than Sandpiper reads.', args[0] ?? '')));
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = `${stderr}${chunk.toString('utf8')}`.slice(0, MAX_STDERR_BYTES);
    });
    child.stdin.on('error', () => {});
    child.on('error', cause => {
      clearTimeout(timer);
      reject(
        new SandpiperError('unavailable', t('git cannot be started: {0}.', cause.message), {
          hint: t('Install git and make sure that it is on the PATH.'),
          cause,
        }),
      );
    });
    child.on('close', code => {
      clearTimeout(timer);
      if (failure) {
        reject(failure);
      } else {
        resolve({ code: code ?? undefined, stdout: Buffer.concat(chunks), stderr });
      }
    });
    child.stdin.end(run.stdin);
  });
}

/** As `tryGit`, for what must succeed. @throws `git_failed` with git's own words too */
export async function runGit(args: readonly string[], run: GitRun): Promise<Buffer> {
  const result = await tryGit(args, run);
  if (result.code !== 0) {
    throw new SandpiperError('git_failed', t('git {0} failed: {1}', subcommand(args), complaint(result.stderr)), {
      details: { code: result.code },
    });
  }
  return result.stdout;
}

/** Records of git's `-z` output. */
export function records(output: Buffer): string[] {
  return output.toString('utf8').split('\0').slice(0, -1);
}

export function complaint(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '');
  return (lines.find(line => /^(fatal|error): /.test(line)) ?? lines[0] ?? 'no message').slice(0, 500);
}

function subcommand(args: readonly string[]): string {
  return args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? '';
}

/** A git of somebody else (a hook, a rebase) may have started this process: its variables name another repository. */
function gitEnvironment(environment: Environment): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(GIT_|SSH_ASKPASS$)/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'file',
  };
}
