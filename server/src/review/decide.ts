import type { Hunk } from '../../../protocol/review.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { writeObject } from '../git/objectWriter.ts';
import type { Mirror } from '../git/mirror.ts';
import { changeTree, entryAt, treeOf, type TreeEntry } from '../git/tree.ts';
import { withHunks, withoutHunks } from './hunks.ts';
import { listPending, type PendingFile } from './pending.ts';

/** The two commits of a review: what the human has taken, and what is on offer. */
export interface Sides {
  accepted: string;
  proposed: string;
}

export interface DecidedFile {
  path: string;
  /** Names of hunks; without any, the whole file is meant. */
  hunks?: readonly string[] | undefined;
}

/** What a reviewer says of hunks and files. */
export type Verdict = 'accept' | 'reject';

export interface Outcome extends Sides {
  /** How many single decisions this was. */
  decided: number;
}

interface Opened {
  mirror: Mirror;
  reader: ObjectReader;
  sides: Sides;
  trees: Sides;
}

/**
 * Accepts: moves hunks and files into the accepted tree. Rejects: takes them out of the proposed tree. Writes objects and
 * no ref: the caller makes the outcome true, or forgets it.
 * @throws `stale` when a hunk or a file is not pending any more
 */
export async function decideHunks(
  mirror: Mirror,
  sides: Sides,
  verdict: Verdict,
  files: readonly DecidedFile[],
): Promise<Outcome> {
  const pending = new Map((await listPending(mirror, sides.accepted, sides.proposed)).map(file => [file.path, file]));
  const chosen = files.map(({ path, hunks }) => {
    const file = pending.get(path);
    if (!file) {
      throw stale(`${path} is not pending any more.`);
    }
    return { file, hunks: hunks === undefined ? undefined : chooseHunks(file, hunks) };
  });
  return withReader(mirror, sides, async opened => {
    const changes = new Map<string, TreeEntry | undefined>();
    for (const { file, hunks } of chosen) {
      for (const [path, entry] of await entriesFor(opened, verdict, file, hunks)) {
        changes.set(path, entry);
      }
    }
    const decided = chosen.reduce((sum, { file, hunks }) => sum + Math.max(1, (hunks ?? file.hunks).length), 0);
    const side = verdict === 'accept' ? 'accepted' : 'proposed';
    return { ...(await commitSide(opened, side, changes, `${verdict} ${decided}`)), decided };
  });
}

/**
 * Writes a reviewer's own text into the proposed tree.
 * @param expected the blob that the reviewer's text was made from; undefined when there was no file
 * @param content undefined takes the file out
 * @throws `stale` when the file has become another since
 */
export async function editFile(
  mirror: Mirror,
  sides: Sides,
  edit: { path: string; content: Buffer | undefined; expected: string | undefined },
): Promise<Outcome> {
  return withReader(mirror, sides, async opened => {
    const now = await entryAt(opened.reader, opened.trees.proposed, edit.path);
    if (now?.id !== edit.expected) {
      throw stale(`${edit.path} has changed since it was opened.`);
    }
    const id = edit.content === undefined ? undefined : await writeObject(mirror, 'blob', edit.content);
    if (id === now?.id) {
      return { ...sides, decided: 0 };
    }
    const entry = id === undefined ? undefined : { mode: now?.mode ?? '100644', id };
    return {
      ...(await commitSide(opened, 'proposed', new Map([[edit.path, entry]]), `edit ${edit.path}`)),
      decided: 1,
    };
  });
}

/** Accepts everything but some files, which stay pending. */
export async function acceptAllBut(mirror: Mirror, sides: Sides, left: readonly PendingFile[]): Promise<Sides> {
  return withReader(mirror, sides, async ({ reader, trees }) => {
    const paths = left.flatMap(({ path, oldPath }) => (oldPath === undefined ? [path] : [oldPath, path]));
    const kept = new Map<string, TreeEntry | undefined>();
    for (const path of paths) {
      kept.set(path, await entryAt(reader, trees.accepted, path));
    }
    const tree = await changeTree(mirror, reader, trees.proposed, kept);
    return tree === trees.accepted
      ? sides
      : { ...sides, accepted: await commitTree(mirror, tree, sides.accepted, 'accept all') };
  });
}

/** Takes one file of another commit into the proposed tree, or out of it where that commit has none. */
export async function takeFile(mirror: Mirror, sides: Sides, path: string, from: string): Promise<Sides> {
  return withReader(mirror, sides, async opened => {
    const entry = await entryAt(opened.reader, await treeOf(opened.reader, from), path);
    return commitSide(opened, 'proposed', new Map([[path, entry]]), `take ${path}`);
  });
}

function chooseHunks(file: PendingFile, names: readonly string[]): Hunk[] {
  const byName = new Map(file.hunks.map(hunk => [hunk.id, hunk]));
  return [...new Set(names)].map(name => {
    const hunk = byName.get(name);
    if (!hunk) {
      throw stale(`This change of ${file.path} is not pending any more.`);
    }
    return hunk;
  });
}

/** What the changed tree must have at the paths of a decided file. */
async function entriesFor(
  { mirror, reader, trees }: Opened,
  verdict: Verdict,
  file: PendingFile,
  hunks: readonly Hunk[] | undefined,
): Promise<[string, TreeEntry | undefined][]> {
  const [from, to] = verdict === 'accept' ? [trees.proposed, trees.accepted] : [trees.accepted, trees.proposed];
  // All of its hunks are the whole of it, and what else changed of the file (its mode) goes the same way.
  if (hunks === undefined || hunks.length === file.hunks.length) {
    const paths = file.oldPath === undefined ? [file.path] : [file.oldPath, file.path];
    return Promise.all(paths.map(async path => [path, await entryAt(reader, from, path)] as const)).then(entries =>
      entries.map(([path, entry]) => [path, entry]),
    );
  }
  const [before, after, target] = await Promise.all([
    entryAt(reader, trees.accepted, file.path),
    entryAt(reader, trees.proposed, file.path),
    entryAt(reader, to, file.path),
  ]);
  if (!before || !after || !target) {
    throw stale(`${file.path} is not pending any more.`);
  }
  const [oldContent, newContent] = await Promise.all([
    reader.readAs(before.id, 'blob'),
    reader.readAs(after.id, 'blob'),
  ]);
  const content = (verdict === 'accept' ? withHunks : withoutHunks)(oldContent, newContent, hunks);
  return [[file.path, { mode: target.mode, id: await writeObject(mirror, 'blob', content) }]];
}

async function commitSide(
  { mirror, reader, sides, trees }: Opened,
  side: keyof Sides,
  changes: ReadonlyMap<string, TreeEntry | undefined>,
  what: string,
): Promise<Sides> {
  const tree = await changeTree(mirror, reader, trees[side], changes);
  return tree === trees[side] ? sides : { ...sides, [side]: await commitTree(mirror, tree, sides[side], what) };
}

/**
 * A commit on top of the side's last one: so everything that an undo may go back to stays reachable from the side's ref.
 * Its time is fixed, or a repeat after a kill would make another commit.
 */
export async function commitTree(mirror: Mirror, tree: string, parent: string, what: string): Promise<string> {
  const who = 'Sandpiper <sandpiper@localhost> 0 +0000';
  return writeObject(
    mirror,
    'commit',
    Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\nReview: ${what}\n`),
  );
}

async function withReader<Result>(
  mirror: Mirror,
  sides: Sides,
  action: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  const reader = new ObjectReader(mirror);
  try {
    const [accepted, proposed] = await Promise.all([treeOf(reader, sides.accepted), treeOf(reader, sides.proposed)]);
    return await action({ mirror, reader, sides, trees: { accepted, proposed } });
  } finally {
    reader.dispose();
  }
}

function stale(message: string): SandpiperError {
  return new SandpiperError('stale', message, { hint: 'Look at the changes again: they have been loaded anew.' });
}
