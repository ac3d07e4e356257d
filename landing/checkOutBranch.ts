import { SandpiperError } from '../protocol/errors.ts';
import { complaint, records, runGit, tryGit, type GitRun } from './runGit.ts';
import type { UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

export interface BranchSpec {
  /** A bundle whose `refs/sandpiper/landing` is the commit. */
  file: string;
  commit: string;
  /** Short name. */
  branch: string;
  /** Whether the work tree changes to it. */
  switchTo: boolean;
  /** Agrees to take uncommitted changes along, as git does where they are not in the way. */
  carry: boolean;
}

const LANDING = 'refs/sandpiper/landing';

/**
 * Puts a session's commit on a branch of the user's own repository, because they asked for it there. Never by force: a branch
 * only moves forward, and what is not committed is taken along only on request and where the branch leaves it alone.
 * @returns whether the branch was made or moved
 * @throws `conflict` when the branch has something else (`details.branch`), when there are uncommitted changes
 *   (`details.uncommitted`) or when they are in the way (`details.files`)
 */
export async function checkOutBranch(
  { root, environment }: Pick<UserFolder, 'root' | 'environment'>,
  { file, commit, branch, switchTo, carry }: BranchSpec,
): Promise<{ moved: boolean }> {
  const run = { cwd: root, environment };
  if ((await tryGit(['check-ref-format', '--branch', branch], run)).code !== 0 || branch.startsWith('-')) {
    throw new SandpiperError('invalid_params', t('"{0}" cannot be the name of a branch.', branch.slice(0, 200)));
  }
  const ref = `refs/heads/${branch}`;
  const now = await idOf(run, ref);
  const isCurrent = (await tryGit(['symbolic-ref', '--quiet', 'HEAD'], run)).stdout.toString('utf8').trim() === ref;
  if (switchTo && !carry && !(isCurrent && now === commit)) {
    await refuseUncommitted(run, branch);
  }
  // Objects only; FETCH_HEAD is the user's.
  await runGit(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', file, LANDING], run);
  if (
    now !== undefined &&
    now !== commit &&
    (await tryGit(['merge-base', '--is-ancestor', now, commit], run)).code !== 0
  ) {
    throw new SandpiperError('conflict', t('The branch {0} exists and has other commits.', branch), {
      hint: t('Choose another name for the branch, or delete the old one.'),
      details: { branch },
    });
  }
  if (isCurrent && now !== commit) {
    await inTheWay(await tryGit(['merge', '--quiet', '--ff-only', '--no-verify', commit], run), branch);
    return { moved: true };
  }
  if (now !== commit) {
    await runGit(['update-ref', '-m', 'sandpiper checkout', ref, commit, now ?? '0'.repeat(commit.length)], run);
  }
  if (switchTo && !isCurrent) {
    await inTheWay(await tryGit(['switch', '--quiet', '--no-guess', branch], run), branch);
  }
  return { moved: now !== commit };
}

async function refuseUncommitted(run: GitRun, branch: string): Promise<void> {
  const status = await runGit(['status', '--porcelain', '-z', '--no-renames', '--untracked-files=no'], run);
  const files = records(status).map(line => line.slice(3));
  if (files.length > 0) {
    const listed = files.slice(0, 5).join(', ');
    throw new SandpiperError(
      'conflict',
      files.length > 5
        ? t('There are uncommitted changes of {0} and {1} more.', listed, files.length - 5)
        : t('There are uncommitted changes of {0}.', listed),
      {
        hint: t('Commit or stash them, take them along to the branch, or make the branch without switching to it.'),
        details: { uncommitted: files.slice(0, 1000), branch },
      },
    );
  }
}

/** git itself says which files are in the way; it changed nothing then. */
async function inTheWay(result: { code: number | undefined; stderr: string }, branch: string): Promise<void> {
  if (result.code === 0) {
    return;
  }
  const files = result.stderr
    .split('\n')
    .filter(line => line.startsWith('\t'))
    .map(line => line.trim());
  if (files.length === 0) {
    throw new SandpiperError('git_failed', t('git could not switch to {0}: {1}', branch, complaint(result.stderr)), {
      hint: t('The branch is there; switch to it yourself.'),
    });
  }
  const listed = files.slice(0, 5).join(', ');
  throw new SandpiperError(
    'conflict',
    files.length > 5
      ? t('Your changes of {0} and others are in the way of {1}. Your files stay as they are.', listed, branch)
      : t('Your changes of {0} are in the way of {1}. Your files stay as they are.', listed, branch),
    {
      hint: t('Commit or stash them, or make the branch without switching to it.'),
      details: { files: files.slice(0, 1000), branch },
    },
  );
}

async function idOf(run: GitRun, ref: string): Promise<string | undefined> {
  const found = await tryGit(['rev-parse', '--verify', '--quiet', ref], run);
  return found.code === 0 ? found.stdout.toString('utf8').trim() : undefined;
}
