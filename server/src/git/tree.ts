import { SandpiperError } from '../../../protocol/errors.ts';
import type { ObjectReader } from './objectReader.ts';
import { writeObject } from './objectWriter.ts';
import type { Mirror } from './mirror.ts';

/** What stands at a path. */
export interface TreeEntry {
  /** As in `diff-tree --raw`: six digits. */
  mode: string;
  id: string;
}

interface NamedEntry extends TreeEntry {
  /** Bytes as Latin-1, so that every name survives whatever its encoding. */
  name: string;
}

const TREE = '040000';
/** git's own; it need not be in a mirror. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** The tree of a commit. */
export async function treeOf(reader: ObjectReader, commit: string): Promise<string> {
  const content = await reader.readAs(commit, 'commit');
  const [, id] = /^tree ([0-9a-f]{40})\n/.exec(content.toString('latin1', 0, 64)) ?? [];
  if (id === undefined) {
    throw new SandpiperError('git_failed', `The commit ${commit} has no tree.`);
  }
  return id;
}

/** What is at a path in a tree; undefined for nothing and for a folder. */
export async function entryAt(reader: ObjectReader, tree: string, path: string): Promise<TreeEntry | undefined> {
  const parts = toLatin1(path).split('/');
  let id = tree;
  for (const [index, part] of parts.entries()) {
    const entry = (await namesIn(reader, id)).get(part);
    if (!entry || (entry.mode === TREE) === (index === parts.length - 1)) {
      return undefined;
    }
    if (index === parts.length - 1) {
      return { mode: entry.mode, id: entry.id };
    }
    id = entry.id;
  }
  return undefined;
}

/**
 * Writes the tree that has other entries at some paths, and everything else as it is. `undefined` takes a path out; a folder
 * without entries goes with it. A file in place of a folder replaces it, and the other way round.
 */
export async function changeTree(
  mirror: Mirror,
  reader: ObjectReader,
  tree: string,
  changes: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<string> {
  const latin1 = new Map([...changes].map(([path, entry]) => [toLatin1(path), entry]));
  return (await changeFolder(mirror, reader, tree, latin1)) ?? writeObject(mirror, 'tree', Buffer.alloc(0));
}

/** The id of the changed tree, or undefined when nothing is left in it. */
async function changeFolder(
  mirror: Mirror,
  reader: ObjectReader,
  tree: string | undefined,
  changes: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<string | undefined> {
  const entries = new Map(
    (tree === undefined ? [] : await readTree(reader, tree)).map(entry => [entry.name, entry] as const),
  );
  const below = new Map<string, Map<string, TreeEntry | undefined>>();
  for (const [path, entry] of changes) {
    const slash = path.indexOf('/');
    if (slash >= 0) {
      const name = path.slice(0, slash);
      below.set(name, (below.get(name) ?? new Map<string, TreeEntry | undefined>()).set(path.slice(slash + 1), entry));
    } else if (entry) {
      entries.set(path, { ...entry, name: path });
    } else if (entries.get(path)?.mode !== TREE) {
      entries.delete(path);
    }
  }
  for (const [name, inner] of below) {
    const there = entries.get(name);
    const adds = [...inner.values()].some(entry => entry !== undefined);
    if (there?.mode !== TREE && !adds) {
      continue;
    }
    const id = await changeFolder(mirror, reader, there?.mode === TREE ? there.id : undefined, inner);
    if (id === undefined) {
      entries.delete(name);
    } else {
      entries.set(name, { mode: TREE, id, name });
    }
  }
  return entries.size === 0 ? undefined : writeObject(mirror, 'tree', encodeTree([...entries.values()]));
}

/** So many entries of folders are kept for one reader; those of the largest repositories have to be read again. */
const MAX_KEPT_ENTRIES = 500_000;
const kept = new WeakMap<ObjectReader, { entries: number; folders: Map<string, ReadonlyMap<string, NamedEntry>> }>();

/** A folder by names. A decision on thousands of files of one folder asks for it thousands of times. */
async function namesIn(reader: ObjectReader, id: string): Promise<ReadonlyMap<string, NamedEntry>> {
  const known = kept.get(reader)?.folders.get(id);
  if (known) {
    return known;
  }
  const names = new Map((await readTree(reader, id)).map(entry => [entry.name, entry]));
  const before = kept.get(reader);
  const memory =
    before && before.entries + names.size <= MAX_KEPT_ENTRIES ? before : { entries: 0, folders: new Map() };
  memory.folders.set(id, names);
  kept.set(reader, { entries: memory.entries + names.size, folders: memory.folders });
  return names;
}

async function readTree(reader: ObjectReader, id: string): Promise<NamedEntry[]> {
  if (id === EMPTY_TREE) {
    return [];
  }
  const content = await reader.readAs(id, 'tree');
  const entries: NamedEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0) {
      throw new SandpiperError('git_failed', `The tree ${id} is damaged.`);
    }
    entries.push({
      mode: content.toString('latin1', at, space).padStart(6, '0'),
      name: content.toString('latin1', space + 1, end),
      id: content.toString('hex', end + 1, end + 21),
    });
    at = end + 21;
  }
  return entries;
}

/** git sorts names as bytes, a folder as if its name ended with a slash. */
function encodeTree(entries: readonly NamedEntry[]): Buffer {
  const key = (entry: NamedEntry): string => (entry.mode === TREE ? `${entry.name}/` : entry.name);
  const sorted = entries.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, id }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`, 'latin1'),
      Buffer.from(id, 'hex'),
    ]),
  );
}

function toLatin1(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}
