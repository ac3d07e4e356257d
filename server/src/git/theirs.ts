import { SandpiperError } from '../../../protocol/errors.ts';
import { git, gitFailed, gitText, splitRecords, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';
import { callRemote, type Remote } from './remote.ts';
import { isBranchName, isRefName } from './refs.ts';

/*
 * Commits that others pushed to a branch of ours: brought into the mirror, described, and merged with our own. Never
 * overwritten.
 */

const FETCH_TIMEOUT_MS = 10 * 60_000;
const DESCRIBED = 3;
const MAX_FILES = 20;

export interface Theirs {
  count: number;
  /** One line for a person: how many, what, by whom. */
  text: string;
}

/**
 * Brings what a branch of a remote has into the mirror and keeps it by a ref.
 * @returns the commit, which may be later than the one that was last seen
 * @throws `repository_unreachable`, `forge_unauthorized`
 */
export async function fetchBranch(mirror: Mirror, remote: Remote, branch: string, ref: string): Promise<string> {
  if (!isBranchName(branch) || !isRefName(ref)) {
    throw new SandpiperError('invalid_params', `Cannot fetch the branch "${branch}".`);
  }
  await callRemote(
    remote,
    [
      '-c',
      'fetch.fsckObjects=true',
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-gc',
      '--',
      remote.url,
      `+refs/heads/${branch}:${ref}`,
    ],
    FETCH_TIMEOUT_MS,
    mirror.path,
  );
  return gitText(['rev-parse', '--verify', ref], { gitDir: mirror.path });
}

/** What `head` has that is in none of `known`. */
export async function describeTheirs(mirror: Mirror, head: string, known: readonly string[]): Promise<Theirs> {
  const range = [head, '--not', ...known, '--'];
  const count = Number(await gitText(['rev-list', '--count', ...range], { gitDir: mirror.path }));
  const format = '--format=%an%x00%s%x00';
  const log = await git(['log', `-${DESCRIBED}`, format, ...range], { gitDir: mirror.path });
  const fields = splitRecords(log).map(printable);
  const shown: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    shown.push(`"${fields[index + 1]}" by ${fields[index]}`);
  }
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  return { count, text: `${count} commit${count === 1 ? '' : 's'} of others: ${shown.join(', ')}${more}` };
}

/** Whether a commit is in the history of another. */
export async function isIn(mirror: Mirror, commit: string, head: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', commit, head];
  const result = await tryGit(args, { gitDir: mirror.path });
  if (result.code !== 0 && result.code !== 1) {
    throw gitFailed(args, result);
  }
  return result.code === 0;
}

/** The tree of two commits merged, or the files that cannot be merged. No work tree is needed. */
export async function mergeTrees(
  mirror: Mirror,
  one: string,
  other: string,
): Promise<{ tree: string } | { conflicts: string[] }> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', '--allow-unrelated-histories'];
  const result = await tryGit([...args, one, other], { gitDir: mirror.path });
  if (result.code !== 0 && result.code !== 1) {
    throw gitFailed(args, result);
  }
  const [tree = '', ...files] = splitRecords(result.stdout);
  return result.code === 0
    ? { tree }
    : { conflicts: [...new Set(files.filter(file => file !== ''))].slice(0, MAX_FILES).map(printable) };
}

/** Words of others in a text of ours. */
function printable(text: string): string {
  return text
    .trim()
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 100);
}
