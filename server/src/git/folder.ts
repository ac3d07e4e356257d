import type { CallResult } from '../../../protocol/calls.ts';
import { git, splitRecords } from './git.ts';
import type { Mirror } from './mirror.ts';

type FolderEntry = CallResult<'changes.folder'>['entries'][number];

/**
 * What a folder holds in a commit; undefined when there is no such folder. `path` is '' for the root.
 * @throws `git_failed` when the commit is not in the mirror
 */
export async function listFolder(mirror: Mirror, commit: string, path: string): Promise<FolderEntry[] | undefined> {
  // git would resolve dots and slashes; a path of ours has one spelling.
  const isPlain = path === '' || path.split('/').every(part => part !== '' && part !== '.' && part !== '..');
  if (!isPlain || path.includes('\0')) {
    return undefined;
  }
  const prefix = path === '' ? '' : `${path}/`;
  const args = ['ls-tree', '-z', '--long', '--full-tree', commit, '--', ...(prefix === '' ? [] : [prefix])];
  const records = splitRecords(await git(args, { gitDir: mirror.path }));
  if (records.length === 0 && prefix !== '') {
    return undefined;
  }
  return records.flatMap(record => toEntry(record, prefix.length) ?? []);
}

function toEntry(record: string, prefixLength: number): FolderEntry | undefined {
  const [, mode = '', size = '', path = ''] = /^(\d{6}) \w+ [0-9a-f]+ +(\d+|-)\t([^]*)$/.exec(record) ?? [];
  const name = path.slice(prefixLength);
  return name === '' ? undefined : { name, kind: kindOf(mode), bytes: Number(size) || 0 };
}

function kindOf(mode: string): FolderEntry['kind'] {
  switch (mode) {
    case '040000':
      return 'folder';
    case '120000':
      return 'link';
    case '160000':
      return 'submodule';
    default:
      return 'file';
  }
}
