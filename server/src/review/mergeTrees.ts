import { git, splitRecords } from '../git/git.ts';
import { mergeText } from '../git/mergeText.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { writeObject } from '../git/objectWriter.ts';
import type { Mirror } from '../git/mirror.ts';
import { changeTree, entryAt, treeOf, type TreeEntry } from '../git/tree.ts';
import { parseRawEntries, type RawEntry } from '../git/treeEntries.ts';
import { commitTree } from './decide.ts';

/** A path that both sides changed so that nobody but a person can say what is meant. Absent: there is no file. */
export interface Conflict {
  path: string;
  base?: TreeEntry;
  /** Which the merge keeps. */
  ours?: TreeEntry;
  theirs?: TreeEntry;
}

export interface Merged {
  /** `ours`, or a commit on top of it. */
  commit: string;
  conflicts: Conflict[];
}

/**
 * Brings into `ours` what changed from `base` to `theirs`. Where that cannot be told, `ours` stays and the conflict is
 * named: nothing that a reviewer did is lost. Writes objects and no ref.
 */
export async function mergeTrees(
  mirror: Mirror,
  { base, ours, theirs }: { base: string; ours: string; theirs: string },
  what: string,
): Promise<Merged> {
  const reader = new ObjectReader(mirror);
  try {
    const [baseTree, ourTree, theirTree] = await Promise.all([base, ours, theirs].map(id => treeOf(reader, id)));
    if (baseTree === undefined || ourTree === undefined || theirTree === undefined) {
      throw new Error('A merge has three sides');
    }
    if (ourTree === theirTree || baseTree === theirTree) {
      return { commit: ours, conflicts: [] };
    }
    if (baseTree === ourTree) {
      // On top all the same: what only `ours` leads to is needed to take an older decision back.
      return { commit: await commitTree(mirror, theirTree, ours, what), conflicts: [] };
    }
    const changes = new Map<string, TreeEntry | undefined>();
    const conflicts: Conflict[] = [];
    for (const change of await rawChanges(mirror, baseTree, theirTree)) {
      const outcome = await mergePath(mirror, reader, ourTree, change);
      if (outcome.kind === 'conflict') {
        conflicts.push(outcome.conflict);
      } else if (outcome.kind === 'take') {
        changes.set(change.path, outcome.entry);
      }
    }
    const { tree, refused } = await changeWithoutLoss(mirror, reader, ourTree, changes);
    for (const path of refused) {
      const entry = changes.get(path);
      conflicts.push({ path, ...(entry ? { theirs: entry } : {}) });
    }
    return { commit: tree === ourTree ? ours : await commitTree(mirror, tree, ours, what), conflicts };
  } finally {
    reader.dispose();
  }
}

type PathOutcome =
  { kind: 'keep' } | { kind: 'take'; entry: TreeEntry | undefined } | { kind: 'conflict'; conflict: Conflict };

async function mergePath(
  mirror: Mirror,
  reader: ObjectReader,
  ourTree: string,
  change: RawEntry,
): Promise<PathOutcome> {
  const base = entryOf(change.oldMode, change.oldId);
  const theirs = entryOf(change.mode, change.id);
  const ours = await entryAt(reader, ourTree, change.path);
  if (isSame(ours, theirs)) {
    return { kind: 'keep' };
  }
  if (isSame(ours, base)) {
    return { kind: 'take', entry: theirs };
  }
  if (base && ours && theirs && [base, ours, theirs].every(isFile)) {
    const mode = ours.mode === base.mode ? theirs.mode : ours.mode;
    const settled = idWithoutMerge(base, ours, theirs);
    if (settled !== undefined) {
      return { kind: 'take', entry: { mode, id: settled } };
    }
    const [one, two, three] = await Promise.all([base, ours, theirs].map(({ id }) => reader.readAs(id, 'blob')));
    const content = one && two && three && (await mergeText(mirror, { base: one, ours: two, theirs: three }));
    if (content) {
      return { kind: 'take', entry: { mode, id: await writeObject(mirror, 'blob', content) } };
    }
  }
  return {
    kind: 'conflict',
    conflict: {
      path: change.path,
      ...(base ? { base } : {}),
      ...(ours ? { ours } : {}),
      ...(theirs ? { theirs } : {}),
    },
  };
}

/** The content where only one side changed it, of whatever kind or size: the other changed the mode. */
function idWithoutMerge(base: TreeEntry, ours: TreeEntry, theirs: TreeEntry): string | undefined {
  if (theirs.id === base.id || theirs.id === ours.id) {
    return ours.id;
  }
  return ours.id === base.id ? theirs.id : undefined;
}

/**
 * A file that takes the place of a folder, or a folder of a file, would take along what only `ours` has there. Such paths
 * are refused.
 */
async function changeWithoutLoss(
  mirror: Mirror,
  reader: ObjectReader,
  tree: string,
  changes: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<{ tree: string; refused: string[] }> {
  const changed = await changeTree(mirror, reader, tree, changes);
  const lost = (await rawChanges(mirror, tree, changed)).map(({ path }) => path).filter(path => !changes.has(path));
  if (lost.length === 0) {
    return { tree: changed, refused: [] };
  }
  const refused = [...changes.keys()].filter(path =>
    lost.some(other => isInside(path, other) || isInside(other, path)),
  );
  const rest = new Map([...changes].filter(([path]) => !refused.includes(path)));
  return { tree: await changeTree(mirror, reader, tree, rest), refused };
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

async function rawChanges(mirror: Mirror, from: string, to: string): Promise<RawEntry[]> {
  const output = await git(['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', from, to, '--'], {
    gitDir: mirror.path,
  });
  return parseRawEntries(splitRecords(output)).entries;
}

function entryOf(mode: string, id: string): TreeEntry | undefined {
  return /^0+$/.test(mode) ? undefined : { mode, id };
}

function isSame(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one?.id === other?.id && one?.mode === other?.mode;
}

function isFile({ mode }: TreeEntry): boolean {
  return mode === '100644' || mode === '100755';
}
