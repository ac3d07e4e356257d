import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GithubRepository } from './githubObjects.ts';
import { GithubTalk } from './githubTalk.ts';
import { plainGit } from '../plainGit.ts';

export interface RepositoryOptions {
  /** A repository on this machine to copy; default: one commit with a README. */
  from?: string;
  /** Default: `main`. */
  defaultBranch?: string;
}

/** Makes a bare repository under `root`, as the emulator serves it. */
export async function makeGithubRepository(
  root: string,
  place: { id: number; owner: string; name: string },
  options: RepositoryOptions,
): Promise<GithubRepository> {
  return { ...place, ...(await makeBareRepository(root, place, options)), pulls: [], talk: new GithubTalk() };
}

/** Makes a bare repository under `root` where its owner and name say. */
export async function makeBareRepository(
  root: string,
  place: { owner: string; name: string },
  { from, defaultBranch = 'main' }: RepositoryOptions,
): Promise<{ defaultBranch: string; bareFolder: string }> {
  const bareFolder = join(root, place.owner, `${place.name}.git`);
  await mkdir(dirname(bareFolder), { recursive: true });
  if (from === undefined) {
    await plainGit(root, ['init', '-q', '--bare', '-b', defaultBranch, bareFolder]);
    await firstCommit(bareFolder, defaultBranch);
  } else {
    await plainGit(root, ['clone', '-q', '--bare', '--no-hardlinks', from, bareFolder]);
    await plainGit(bareFolder, ['symbolic-ref', 'HEAD', `refs/heads/${defaultBranch}`]);
  }
  return { defaultBranch, bareFolder };
}

async function firstCommit(bareFolder: string, branch: string): Promise<void> {
  const index = { GIT_INDEX_FILE: join(bareFolder, 'first-index') };
  await writeFile(join(bareFolder, 'first-readme'), '# A repository\n');
  const blob = await plainGit(bareFolder, ['hash-object', '-w', 'first-readme']);
  await plainGit(bareFolder, ['update-index', '--add', '--cacheinfo', `100644,${blob},README.md`], index);
  const tree = await plainGit(bareFolder, ['write-tree'], index);
  const commit = await plainGit(bareFolder, ['commit-tree', '-m', 'Start', tree]);
  await plainGit(bareFolder, ['update-ref', `refs/heads/${branch}`, commit]);
}
