import { SandpiperError } from '../../../protocol/errors.ts';
import { readConfig } from '../core/config.ts';
import { runProgram, type ProgramOptions, type ProgramResult } from '../core/spawn.ts';

/*
 * How the relay runs git: no shell, an environment made from nothing, and nothing of what a repository's configuration
 * could make git execute (hooks, file system monitors, pagers, credential helpers, transports). It runs in the relay's
 * own mirrors and throw-away folders, and in a user's repository only to ask where things are; never in a repository
 * that a sandbox could write (I9).
 */

export interface GitOptions {
  /** The repository, absolute. Without it git looks upwards from `cwd`. */
  gitDir?: string;
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: ProgramOptions['stdin'];
  /** Default one minute. */
  timeoutMs?: number;
  /** Default 64 MiB. */
  maxOutputBytes?: number;
  onTooMuch?: 'fail' | 'cut';
}

const WINDOWS = process.platform === 'win32';
const NULL_DEVICE = WINDOWS ? 'NUL' : '/dev/null';
const NO_HOME = WINDOWS ? 'C:\\nonexistent' : '/nonexistent';

/** Also what is given on the command line, because that overrules the repository's own configuration. */
const HARMLESS = [
  ['core.hooksPath', NULL_DEVICE],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  // Larger files are streamed instead of held in memory, and not deltified.
  ['core.bigFileThreshold', '16m'],
].flatMap(([key, value]) => ['-c', `${key}=${value}`]);

let searchPath: string | undefined;

/** What every git of ours starts from, whoever's configuration it may read. */
export function commonEnvironment(): Record<string, string> {
  searchPath ??= readConfig().path;
  return {
    PATH: searchPath,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // A partial clone must not fetch: its remote decides what that would run. Older gits know only the second variable.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
  };
}

/** The environment of a git that must not see any configuration but that of the folder it works in. */
export function gitEnvironment(): Record<string, string> {
  return {
    ...commonEnvironment(),
    HOME: NO_HOME,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: NULL_DEVICE,
    GIT_ATTR_NOSYSTEM: '1',
  };
}

/** Runs git and hands back how it ended, whatever the exit code. */
export function tryGit(args: readonly string[], options: GitOptions): Promise<ProgramResult> {
  return runProgram(['git', '--no-pager', ...HARMLESS, ...args], {
    env: {
      ...gitEnvironment(),
      ...(options.gitDir === undefined ? {} : { GIT_DIR: options.gitDir }),
      ...options.env,
    },
    timeoutMs: options.timeoutMs ?? 60_000,
    maxOutputBytes: options.maxOutputBytes ?? 64 * 1024 * 1024,
    ...(options.onTooMuch === undefined ? {} : { onTooMuch: options.onTooMuch }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
}

/**
 * Runs git and hands back its output.
 * @throws `git_failed` with git's own words
 */
export async function git(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const result = await tryGit(args, options);
  if (result.code !== 0 && !result.cut) {
    throw gitFailed(args, result);
  }
  return result.stdout;
}

/** As `git`, for output that is one line or a short text. */
export async function gitText(args: readonly string[], options: GitOptions): Promise<string> {
  return (await git(args, options)).toString('utf8').trimEnd();
}

export function gitFailed(args: readonly string[], result: ProgramResult): SandpiperError {
  const how = result.code === undefined ? `was ended by ${result.signal}` : `failed with exit code ${result.code}`;
  return new SandpiperError('git_failed', `git ${args[0]} ${how}: ${complaint(result.stderr) || 'no message'}`, {
    details: { code: result.code, stderr: result.stderr.toString('utf8').slice(0, 4000) },
  });
}

/** The line of git's stderr that says why. */
export function complaint(stderr: Buffer): string {
  const lines = stderr.toString('utf8').split('\n');
  const line = lines.find(text => /^(fatal|error): /.test(text)) ?? lines.find(text => text.trim() !== '') ?? '';
  return line.slice(0, 500);
}

/** Records of git's `-z` output. */
export function splitRecords(output: Buffer): string[] {
  const records = output.toString('utf8').split('\0');
  records.pop();
  return records;
}

/** One folder for GIT_ALTERNATE_OBJECT_DIRECTORIES or objects/info/alternates, quoted as git wants it. */
export function quoteAlternate(folder: string): string {
  return /^[\w/.+@ -]+$/.test(folder) && !folder.startsWith(' ')
    ? folder
    : `"${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** Version of the git on PATH, as `2.39.5`. @throws `git_failed` when there is none */
export async function gitVersion(): Promise<string> {
  const text = await gitText(['version'], {});
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? text;
}
