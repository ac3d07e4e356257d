import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { git } from './git.ts';
import { inspectRepository, type InspectedRepository } from './inspect.ts';

/** A repository of one commit that the relay makes. */
export interface OwnRepository {
  files: Readonly<Record<string, string>>;
  message: string;
  branch: string;
}

/** The same for every one, so that the same files are the same commit. */
const WHO = { name: 'Sandpiper', email: 'sandpiper@localhost', date: '2026-01-01T00:00:00Z' };

/**
 * The repository in a folder where `commit` is, made anew when there is none. A folder that is no such repository any more is
 * put aside: what a person has in it is theirs.
 */
export async function ensureOwnRepository(
  folder: string,
  commit: string,
  repository: OwnRepository,
): Promise<InspectedRepository> {
  const found = await inspectAt(folder, commit);
  if (found) {
    return found;
  }
  await rename(folder, `${folder}-${Date.now()}`).catch(refuseAllButMissing);
  await makeOwnRepository(folder, repository);
  const made = await inspectAt(folder, commit);
  if (!made) {
    throw new SandpiperError('internal', `The repository in ${folder} was not made as it was meant to be.`);
  }
  return made;
}

/** Made aside and renamed, so that it is whole or not there. */
export async function makeOwnRepository(folder: string, { files, message, branch }: OwnRepository): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const aside = await mkdtemp(`${folder}.new-`);
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(aside, path)), { recursive: true });
      await writeFile(join(aside, path), text);
    }
    const env = {
      GIT_AUTHOR_NAME: WHO.name,
      GIT_AUTHOR_EMAIL: WHO.email,
      GIT_AUTHOR_DATE: WHO.date,
      GIT_COMMITTER_NAME: WHO.name,
      GIT_COMMITTER_EMAIL: WHO.email,
      GIT_COMMITTER_DATE: WHO.date,
    };
    await git(['init', '--quiet', '--template=', `--initial-branch=${branch}`], { cwd: aside });
    await git(['add', '--all'], { cwd: aside });
    await git(['commit', '--quiet', '--no-gpg-sign', '--message', message], { cwd: aside, env });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function inspectAt(folder: string, commit: string): Promise<InspectedRepository | undefined> {
  // In a folder without a repository git would find the one around it.
  if (!existsSync(join(folder, '.git'))) {
    return undefined;
  }
  try {
    return await inspectRepository(folder, { base: commit, withoutWorkTree: true });
  } catch (error) {
    const { code } = toSandpiperError(error);
    if (code === 'not_a_repository' || code === 'empty_repository' || code === 'invalid_params') {
      return undefined;
    }
    throw error;
  }
}

function refuseAllButMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
    throw error;
  }
}
