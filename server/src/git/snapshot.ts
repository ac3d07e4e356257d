import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { git, gitText, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';
import { baseRef, updateRef } from './refs.ts';
import { withShadow, type ShadowRepository } from './shadowRepository.ts';
import { openUserRepository } from './userRepository.ts';

const SNAPSHOT_MESSAGE = 'Uncommitted work at the start of the session\n';
const AUTHOR = { name: 'Sandpiper', email: 'sandpiper@localhost' };
/** `stat` is asked for this many files at once. */
const STAT_BATCH = 500;
const TIMEOUT_MS = 10 * 60_000;

/**
 * The user's changed and untracked (not ignored) files as a commit in the mirror. The user's `.git` stays as it is, byte
 * for byte (I7). Submodules and repositories inside the work tree are left as the head has them.
 * @param head parent of the commit; already in the mirror
 * @param options.maxBytes limit for all changed files together
 * @returns the commit, or undefined when nothing differs from `head`
 * @throws `not_a_repository`, `too_large` with the largest files, `git_failed`
 */
export async function snapshotUncommitted(
  source: string,
  mirror: Mirror,
  head: string,
  options: { maxBytes: number; home?: string },
): Promise<string | undefined> {
  const repository = await openUserRepository(source, options.home);
  const { workTree } = repository;
  if (workTree === undefined) {
    return undefined;
  }
  const home = options.home === undefined ? {} : { home: options.home };
  const place = { folder: mirror.path, head, alternates: [mirror.objects], ...home };
  return withShadow({ ...repository, workTree }, place, async shadow => {
    const paths = await changedPaths(shadow);
    await refuseTooLarge(workTree, paths, options.maxBytes);
    const commit = await commitPaths(shadow, paths, head);
    if (commit !== undefined) {
      await moveIntoMirror(shadow, mirror, commit, head);
    }
    return commit;
  });
}

/** Plumbing, not `git add`: that would ask every submodule for its state, by running git under its configuration. */
async function changedPaths(shadow: ShadowRepository): Promise<string[]> {
  // A file that was only touched has not changed. The exit code says that others have.
  await tryGit(['update-index', '-q', '--refresh', '--ignore-submodules'], {
    cwd: shadow.workTree,
    env: shadow.writeEnv,
    timeoutMs: TIMEOUT_MS,
  });
  const [changed, untracked] = await Promise.all([
    read(shadow, ['diff-files', '-z', '--name-only', '--ignore-submodules=all']),
    read(shadow, ['ls-files', '-z', '--others', '--exclude-standard']),
  ]);
  return [...splitBytes(changed), ...splitBytes(untracked).filter(path => !path.endsWith('/'))];
}

async function commitPaths(shadow: ShadowRepository, paths: string[], head: string): Promise<string | undefined> {
  const writing = { cwd: shadow.workTree, env: shadow.writeEnv, timeoutMs: TIMEOUT_MS };
  if (paths.length > 0) {
    const stdin = Buffer.from(`${paths.join('\0')}\0`, 'latin1');
    await git(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], { ...writing, stdin });
  }
  // What was staged before lies in the user's store, which is out of sight here.
  const tree = await gitText(['write-tree', '--missing-ok'], writing);
  const headTree = await gitText(['rev-parse', '--verify', `${head}^{tree}`], writing);
  if (tree === headTree) {
    return undefined;
  }
  return gitText(['commit-tree', tree, '-p', head], {
    env: {
      ...shadow.writeEnv,
      GIT_AUTHOR_NAME: AUTHOR.name,
      GIT_AUTHOR_EMAIL: AUTHOR.email,
      GIT_COMMITTER_NAME: AUTHOR.name,
      GIT_COMMITTER_EMAIL: AUTHOR.email,
    },
    stdin: Buffer.from(SNAPSHOT_MESSAGE),
  });
}

/** One pack with what the mirror lacks: new blobs, but also what was staged before and lies in the user's store. */
async function moveIntoMirror(shadow: ShadowRepository, mirror: Mirror, commit: string, head: string): Promise<void> {
  await git(['pack-objects', '--revs', '--quiet', '--window=0', join(mirror.objects, 'pack/pack')], {
    env: shadow.readEnv,
    stdin: Buffer.from(`${commit}\n^${head}\n`),
    timeoutMs: TIMEOUT_MS,
  });
  await updateRef(mirror, baseRef(commit), commit);
}

async function refuseTooLarge(workTree: string, paths: string[], maxBytes: number): Promise<void> {
  const sized: { path: string; bytes: number }[] = [];
  for (let start = 0; start < paths.length; start += STAT_BATCH) {
    const batch = paths.slice(start, start + STAT_BATCH).map(async path => {
      const found = await lstat(join(workTree, utf8(path))).catch(() => undefined);
      return { path: utf8(path), bytes: found?.isFile() ? found.size : 0 };
    });
    sized.push(...(await Promise.all(batch)));
  }
  const total = sized.reduce((sum, file) => sum + file.bytes, 0);
  if (total > maxBytes) {
    const largest = sized
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, 3)
      .map(file => `${file.path} (${megabytes(file.bytes)})`);
    throw new SandpiperError(
      'too_large',
      `The uncommitted files are ${megabytes(total)} together, more than ${megabytes(maxBytes)}. The largest: ${largest.join(', ')}.`,
      { hint: 'Commit, remove or ignore them, or start without uncommitted work.', details: { bytes: total } },
    );
  }
}

function read(shadow: ShadowRepository, args: string[]): Promise<Buffer> {
  return git(args, { cwd: shadow.workTree, env: shadow.readEnv, timeoutMs: TIMEOUT_MS });
}

/** As latin1, so that names that are not UTF-8 come back as the bytes that they were. */
function splitBytes(output: Buffer): string[] {
  const records = output.toString('latin1').split('\0');
  records.pop();
  return records;
}

function utf8(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
