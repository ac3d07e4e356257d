/** One difference between two trees, as `diff-tree --raw -z` prints it. */
export interface RawEntry {
  oldMode: string;
  mode: string;
  oldId: string;
  id: string;
  /** A letter, for renames with a percentage. */
  status: string;
  path: string;
  /** Before a rename. */
  oldPath?: string;
}

const TREE = '040000';
const LINK = '120000';
export const SUBMODULE = '160000';
const ABSENT = '000000';
const MODES: ReadonlySet<string> = new Set(['100644', '100755', TREE, LINK, SUBMODULE, ABSENT]);

/** Parses records of `diff-tree --raw -z`; stops at the first that is something else (commit ids, numstat). */
export function parseRawEntries(records: readonly string[], start = 0): { entries: RawEntry[]; next: number } {
  const entries: RawEntry[] = [];
  let at = start;
  for (let record = records[at]; record?.startsWith(':'); record = records[at]) {
    const [oldMode = '', mode = '', oldId = '', id = '', status = ''] = record.slice(1).split(' ');
    const renamed = status.startsWith('R') || status.startsWith('C');
    const first = records[at + 1] ?? '';
    const entry = { oldMode, mode, oldId, id, status };
    entries.push(renamed ? { ...entry, oldPath: first, path: records[at + 2] ?? '' } : { ...entry, path: first });
    at += renamed ? 3 : 2;
  }
  return { entries, next: at };
}

/** Why an entry that a sandbox made must not enter a mirror, or undefined. Content is judged elsewhere. */
export function entryProblem(entry: RawEntry): string | undefined {
  if (entry.mode === ABSENT) {
    return undefined;
  }
  if (!MODES.has(entry.mode)) {
    return `${entry.path} has the file mode ${entry.mode}`;
  }
  if (entry.mode === SUBMODULE && entry.oldMode !== SUBMODULE) {
    return `${entry.path} would be a new submodule`;
  }
  const bad = entry.path.split('/').find(isForbiddenName);
  return bad === undefined ? undefined : `${JSON.stringify(entry.path)} has a name that git or a file system misreads`;
}

/** Names that mean the current folder, its parent or `.git` on some file system. */
function isForbiddenName(name: string): boolean {
  // HFS+ ignores these characters, NTFS everything after a colon and dots and spaces at the end.
  const plain = name
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .replace(/:.*$/, '')
    .replace(/[. ]+$/, '')
    .toLowerCase();
  return name === '' || name === '.' || name === '..' || plain === '.git' || /^git~\d+$/.test(plain);
}

export function isLink(entry: RawEntry): boolean {
  return entry.mode === LINK;
}

export function isSubmodule(entry: RawEntry): boolean {
  return entry.mode === SUBMODULE;
}

/** Whether a symbolic link leaves the work tree: absolute, or climbing over its root. */
export function linkLeaves(path: string, target: string): boolean {
  if (/^([/\\]|[a-z]:)/i.test(target)) {
    return true;
  }
  let depth = path.split('/').length - 1;
  return target.split(/[/\\]/).some(part => {
    depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1;
    return depth < 0;
  });
}
