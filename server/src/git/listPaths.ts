import { git, splitRecords } from './git.ts';
import type { Mirror } from './mirror.ts';

/** Every path of a commit, links and submodules among them. @throws `git_failed` when the commit is not in the mirror */
export async function listPaths(mirror: Mirror, commit: string): Promise<string[]> {
  return splitRecords(
    await git(['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit], { gitDir: mirror.path }),
  );
}
