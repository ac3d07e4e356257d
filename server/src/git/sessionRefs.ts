import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { git, gitText } from './git.ts';
import type { Mirror } from './mirror.ts';
import { isCommitId, isRefName, sessionRefs, updateRef } from './refs.ts';

/** A ref and where it points. */
export interface RefTarget {
  name: string;
  commit: string;
}

const TRANSFER_TIMEOUT_MS = 30 * 60_000;

/** Every ref of a session. */
export async function listSessionRefs(mirror: Mirror, sessionId: string): Promise<RefTarget[]> {
  const text = await gitText(['for-each-ref', '--format=%(objectname) %(refname)', `${sessionRefs(sessionId)}/`], {
    gitDir: mirror.path,
  });
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => ({ commit: line.slice(0, 40), name: line.slice(41) }));
}

/** Every session that has a ref, with the time since the last one was written; a packed one was written long ago. */
export async function listRefOwners(mirror: Mirror, now: number): Promise<{ sessionId: string; ageMs: number }[]> {
  const names = await gitText(['for-each-ref', '--format=%(refname)', 'refs/sandpiper/'], { gitDir: mirror.path });
  const ids = new Set(names.split('\n').flatMap(name => name.split('/')[2] ?? []));
  return Promise.all(
    [...ids].map(async sessionId => {
      const folder = join(mirror.path, sessionRefs(sessionId));
      const times = await Promise.all(
        [folder, join(folder, 'turn')].map(path =>
          stat(path).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        ),
      );
      return { sessionId, ageMs: now - Math.max(...times) };
    }),
  );
}

/**
 * Writes what the refs have and `upstream` has not into a bundle file.
 * @returns false, with no file, when that is nothing
 */
export async function bundleRefs(
  mirror: Mirror,
  refs: readonly RefTarget[],
  upstream: string,
  file: string,
): Promise<boolean> {
  const revisions = Buffer.from([...refs.map(ref => ref.commit), `^${upstream}`, ''].join('\n'));
  const count = await gitText(['rev-list', '--count', '--stdin'], { gitDir: mirror.path, stdin: revisions });
  if (count === '0') {
    return false;
  }
  await git(['bundle', 'create', '--quiet', file, '--stdin'], {
    gitDir: mirror.path,
    // By name: a bundle holds only what a ref names.
    stdin: Buffer.from([...refs.map(ref => ref.name), `^${upstream}`, ''].join('\n')),
    timeoutMs: TRANSFER_TIMEOUT_MS,
  });
  return true;
}

/**
 * Brings refs back that `bundleRefs` wrote. Repeating it is harmless.
 * @param bundle a file of the relay's own, whose content was checked
 */
export async function restoreRefs(
  mirror: Mirror,
  refs: readonly RefTarget[],
  bundle: string | undefined,
): Promise<void> {
  if (refs.some(ref => !isRefName(ref.name) || !isCommitId(ref.commit))) {
    throw new SandpiperError('invalid_params', 'What is to be restored has a name that is no ref.');
  }
  if (bundle !== undefined) {
    await git(['bundle', 'unbundle', bundle], { gitDir: mirror.path, timeoutMs: TRANSFER_TIMEOUT_MS });
  }
  for (const { name, commit } of refs) {
    await updateRef(mirror, name, commit);
  }
}

/** Removes refs, whether they are there or not. */
export async function removeRefs(mirror: Mirror, names: readonly string[]): Promise<void> {
  if (names.length > 0) {
    await git(['update-ref', '--no-deref', '--stdin'], {
      gitDir: mirror.path,
      stdin: Buffer.from(names.map(name => `delete ${name}\n`).join('')),
    });
  }
}

/** Whether a commit and all that it needs is there. */
export async function hasCommit(mirror: Mirror, commit: string): Promise<boolean> {
  return git(['rev-list', '--objects', '--quiet', '--max-count=1', commit, '--'], { gitDir: mirror.path }).then(
    () => true,
    () => false,
  );
}
