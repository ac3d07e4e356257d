import { readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { runProgram, type ProgramResult } from '../core/spawn.ts';
import { commonEnvironment, complaint } from './git.ts';

/*
 * What the relay asks a user's repository directly: where its parts are, what a name points at, what is configured.
 * These questions read refs and configuration and can execute nothing. Everything that looks at files goes through
 * shadowRepository.ts instead.
 */

export interface UserRepository {
  /** Of this work tree; differs from `commonDir` in a linked work tree. */
  gitDir: string;
  commonDir: string;
  objects: string;
  /** Absent in a bare repository. */
  workTree: string | undefined;
  shallow: boolean;
  /** Undefined on an unborn branch. */
  head: string | undefined;
  /** Undefined on a detached HEAD. */
  branch: string | undefined;
  settings: UserSettings;
}

/** The user's whole git configuration, read but never obeyed: keys in small letters as git prints them. */
export type UserSettings = ReadonlyMap<string, string>;

/**
 * Finds the repository that a folder belongs to.
 * @param home where the user's own git configuration is
 * @throws `not_a_repository`
 */
export async function openUserRepository(path: string, home: string = homedir()): Promise<UserRepository> {
  const folder = await stat(path).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw notARepository(path, 'there is no such folder', 'Check the path.');
  }
  const questions = ['--absolute-git-dir', '--git-common-dir', '--is-shallow-repository', '--show-object-format'];
  const [where, work, head, branch, settings] = await Promise.all([
    ask(path, home, ['rev-parse', ...questions]),
    ask(path, home, ['rev-parse', '--show-toplevel']),
    ask(path, home, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    ask(path, home, ['symbolic-ref', '--quiet', 'HEAD']),
    ask(path, home, ['config', '--list', '-z', '--show-scope']),
  ]);
  if (where.code !== 0) {
    throw explain(path, where);
  }
  const [gitDir = '', commonDir = '', shallow = '', format = ''] = lines(where);
  if (format !== 'sha1') {
    throw notARepository(path, `it uses ${format} object ids`, 'Sandpiper reads repositories with SHA-1 ids only.');
  }
  const workTree = work.code === 0 ? lines(work)[0] : undefined;
  if (workTree !== undefined && !(await belongsTo(workTree, gitDir))) {
    // A configuration from elsewhere may point core.worktree at the user's home and have it "snapshotted".
    throw notARepository(path, `its configuration says that its files are in ${workTree}`, 'Unset core.worktree.');
  }
  const common = await realpath(resolve(path, commonDir));
  return {
    gitDir,
    commonDir: common,
    objects: join(common, 'objects'),
    workTree,
    shallow: shallow === 'true',
    head: head.code === 0 ? lines(head)[0] : undefined,
    branch: branch.code === 0 ? lines(branch)[0]?.replace(/^refs\/heads\//, '') : undefined,
    settings: parseSettings(settings.stdout.toString('utf8')),
  };
}

/** The commit that a branch, tag or commit id names in the user's repository, or undefined. */
export async function resolveInUserRepository(gitDir: string, rev: string): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`];
  const result = await ask(dirname(gitDir), homedir(), args, { GIT_DIR: gitDir });
  return result.code === 0 ? lines(result)[0] : undefined;
}

/**
 * The branch that work on a base belongs to: the named one, also when it is named as a remote's; for a commit or tag the
 * one that is checked out, when it has that commit. Undefined when there is none.
 */
export async function branchOfBase(repository: UserRepository, base: string): Promise<string | undefined> {
  const { gitDir, settings } = repository;
  const env = { GIT_DIR: gitDir };
  const args = ['rev-parse', '--verify', '--quiet', '--symbolic-full-name', '--end-of-options', base];
  const [name = ''] = lines(await ask(dirname(gitDir), homedir(), args, env));
  if (name.startsWith('refs/heads/')) {
    return name.slice('refs/heads/'.length);
  }
  const remote = remotesOf(settings).find(candidate => name.startsWith(`refs/remotes/${candidate}/`));
  if (remote !== undefined) {
    return name.slice(`refs/remotes/${remote}/`.length);
  }
  const commit = await resolveInUserRepository(gitDir, base);
  if (repository.branch === undefined || commit === undefined) {
    return undefined;
  }
  const { code } = await ask(dirname(gitDir), homedir(), ['merge-base', '--is-ancestor', commit, 'HEAD'], env);
  return code === 0 ? repository.branch : undefined;
}

/** The remote that the branch follows, else origin, else the only one; with the user's insteadOf rules applied. */
export function remoteUrlOf(settings: UserSettings, branch: string | undefined): string | undefined {
  const remotes = remotesOf(settings);
  const followed = branch === undefined ? undefined : settings.get(`branch.${branch}.remote`);
  const name =
    [followed, 'origin'].find(candidate => candidate !== undefined && remotes.includes(candidate)) ??
    (remotes.length === 1 ? remotes[0] : undefined);
  const url = name === undefined ? undefined : settings.get(`remote.${name}.url`);
  return url === undefined ? undefined : rewrite(settings, url);
}

function remotesOf(settings: UserSettings): string[] {
  return [...settings.keys()].flatMap(key => /^remote\.(.+)\.url$/.exec(key)?.[1] ?? []);
}

function rewrite(settings: UserSettings, url: string): string {
  const rules = [...settings].flatMap(([key, prefix]) => {
    const base = /^url\.(.+)\.insteadof$/.exec(key)?.[1];
    return base !== undefined && prefix !== '' && url.startsWith(prefix) ? [{ base, prefix }] : [];
  });
  const longest = rules.sort((one, other) => other.prefix.length - one.prefix.length)[0];
  return longest ? longest.base + url.slice(longest.prefix.length) : url;
}

/** Parses `config --list -z --show-scope`; of a key that stands more than once the last counts, as git has it. */
function parseSettings(output: string): UserSettings {
  const settings = new Map<string, string>();
  const fields = output.split('\0');
  for (let index = 1; index < fields.length; index += 2) {
    const entry = fields[index] ?? '';
    const end = entry.indexOf('\n');
    // A key without a value means true.
    settings.set(end < 0 ? entry : entry.slice(0, end), end < 0 ? 'true' : entry.slice(end + 1));
  }
  return settings;
}

/**
 * The one kind of call that sees the user's own configuration: `safe.directory` decides whether git may look at all,
 * and ignore rules and line endings are configured there.
 */
function ask(
  path: string,
  home: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ProgramResult> {
  return runProgram(['git', '-c', 'core.fsmonitor=false', ...args], {
    cwd: path,
    env: { ...commonEnvironment(), HOME: home, ...env },
    timeoutMs: 30_000,
  });
}

async function belongsTo(workTree: string, gitDir: string): Promise<boolean> {
  const link = join(workTree, '.git');
  const found = await stat(link).catch(() => undefined);
  if (found?.isDirectory()) {
    return (await realpath(link)) === (await realpath(gitDir));
  }
  const target = /^gitdir: (.+?)\r?\n*$/.exec(await readFile(link, 'utf8').catch(() => ''))?.[1];
  if (target === undefined) {
    return false;
  }
  const [one, other] = await Promise.all([
    realpath(resolve(workTree, target)).catch(() => ''),
    realpath(gitDir).catch(() => gitDir),
  ]);
  return one === other;
}

function explain(path: string, result: ProgramResult): SandpiperError {
  const words = result.stderr.toString('utf8');
  if (words.includes('dubious ownership')) {
    return notARepository(
      path,
      'it belongs to another user',
      `If you trust it, run: git config --global --add safe.directory ${path}`,
    );
  }
  return words.includes('not a git repository')
    ? notARepository(path, 'neither it nor a folder above it has a .git', 'Open a git repository, or run git init.')
    : notARepository(path, complaint(result.stderr), 'Check the repository with git status.');
}

function notARepository(path: string, why: string, hint: string): SandpiperError {
  return new SandpiperError('not_a_repository', `${path} cannot be used as a git repository: ${why}.`, { hint });
}

function lines(result: ProgramResult): string[] {
  return result.stdout.toString('utf8').trimEnd().split('\n');
}
