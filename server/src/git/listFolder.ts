import { git, splitRecords } from './git.ts';
import type { Mirror } from './mirror.ts';

export interface FolderEntry {
  /** From the root of the repository. */
  path: string;
  mode: string;
  type: string;
  id: string;
}

/** What lies in a folder of a commit, without what lies in folders of it; nothing when there is no such folder. */
export async function listFolder(mirror: Mirror, commit: string, folder: string): Promise<FolderEntry[]> {
  const output = await git(['ls-tree', '-z', '--full-tree', commit, '--', `${folder}/`], { gitDir: mirror.path });
  return splitRecords(output).flatMap(line => {
    const [, mode = '', type = '', id = '', path = ''] = /^(\d{6}) (\w+) ([0-9a-f]+)\t([^]+)$/.exec(line) ?? [];
    return path === '' ? [] : [{ path, mode, type, id }];
  });
}
