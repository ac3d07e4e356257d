import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decide, type ConflictReason, type Sides } from './decide.ts';
import { ABSENT, readState, sameState, stateOfBytes, type FileState } from './fileState.ts';
import { mergeText } from './mergeText.ts';
import { obstacleAbove, obstacleAt, type ObstacleSearch } from './obstacles.ts';
import { foldersOf } from './paths.ts';
import { SameEntries } from './sameEntries.ts';
import type { Change } from './unpackBundle.ts';
import { fileSystemOf, type UserFolder } from './userFolder.ts';

/** What the bytes of a side are: a file on this disk, or bytes that were made. */
export type Content = { file: string } | { bytes: Buffer };

/** One path that changes on disk. */
export interface FileStep {
  path: string;
  before: FileState;
  after: FileState;
  /** Of `after`; absent when that is no file. */
  content?: Content;
}

/** A file whose editor has unsaved text: what that becomes, in the editor. */
export interface EditStep {
  path: string;
  /** As the editor would save them. */
  before: Buffer;
  after: Buffer;
}

export interface ApplyConflict {
  path: string;
  /** Where the user's file is; another path when the agent moved it. */
  oursPath: string;
  reason: ConflictReason;
  base?: Content;
  ours?: Content;
  theirs?: Content;
  /** The text with both sides between markers, where the three are text. */
  marked?: Buffer;
}

export interface ApplyPlan {
  files: FileStep[];
  edits: EditStep[];
  conflicts: ApplyConflict[];
  /** Paths that are as the agent made them already. */
  same: string[];
}

/** Whether a plan neither changes anything nor has anything to decide. */
export function isEmptyPlan({ files, edits, conflicts }: ApplyPlan): boolean {
  return files.length + edits.length + conflicts.length === 0;
}

/** The changes of other files. */
export function withoutFiles(
  changes: readonly Change[],
  files: readonly { path: string; oldPath?: string | undefined }[],
): Change[] {
  const left = new Set(files.flatMap(({ path, oldPath = path }) => [path, oldPath]));
  return changes.filter(({ path, oldPath = path }) => !left.has(path) && !left.has(oldPath));
}

/** The text that an editor holds for a path and has not saved, as bytes; undefined for a file without. */
export type UnsavedText = (path: string) => { bytes: Buffer } | { unknown: true } | undefined;

/**
 * Decides for every change what it does to the user's folder. Changes nothing. What is removed is decided first: a file may
 * take the place of a folder whose files all go.
 */
export async function planApply(
  user: UserFolder,
  changes: readonly Change[],
  unsaved: UnsavedText = () => undefined,
): Promise<ApplyPlan> {
  const planner = new Planner(user, unsaved);
  const whole = await planner.splitRenames(changes);
  const removals = whole.filter(({ theirs, oldPath }) => theirs.kind === 'absent' || oldPath !== undefined);
  for (const change of removals) {
    await planner.foresee(change);
  }
  const rank = ({ theirs, oldPath }: Change): number => (theirs.kind === 'absent' ? 0 : oldPath === undefined ? 2 : 1);
  for (const change of whole.toSorted((one, other) => rank(one) - rank(other))) {
    await planner.add(change);
  }
  return planner.plan;
}

class Planner {
  readonly plan: ApplyPlan = { files: [], edits: [], conflicts: [], same: [] };
  readonly #user: UserFolder;
  readonly #unsaved: UnsavedText;
  readonly #hasModes: boolean;
  readonly #search: ObstacleSearch & { removed: Set<string> };
  /** What will be there, where names that differ only in case are the same. */
  readonly #entries = new SameEntries();

  constructor(user: UserFolder, unsaved: UnsavedText) {
    this.#user = user;
    this.#unsaved = unsaved;
    const { hasModes, ignoreCase } = fileSystemOf(user);
    this.#hasModes = hasModes;
    this.#search = { root: user.root, removed: new Set(), ignoreCase };
  }

  /** A rename stays one where the user has the old path and not the new one; else it is what git calls it without renames. */
  async splitRenames(changes: readonly Change[]): Promise<Change[]> {
    const split = changes.map(async (change): Promise<Change[]> => {
      const { oldPath, path, base, theirs } = change;
      if (oldPath === undefined) {
        return [change];
      }
      const [old, now] = await Promise.all([this.#disk(oldPath), this.#disk(path)]);
      if (old.kind === 'file' && (now.kind === 'absent' || this.#isSameEntry(oldPath, path))) {
        return [change];
      }
      const { oldPath: _old, ...moved } = change;
      return old.kind === 'absent' && now.kind !== 'absent'
        ? // The user moved it, too.
          [moved]
        : [
            { ...change, path: oldPath, base, theirs: ABSENT, oldPath: undefined },
            { ...moved, base: ABSENT, theirs },
          ].map(withoutUndefined);
    });
    return (await Promise.all(split)).flat();
  }

  /** Notes what a change removes for sure, before anything is checked that depends on it. */
  async foresee(change: Change): Promise<void> {
    const path = change.oldPath ?? change.path;
    if (this.#unsaved(path) !== undefined || (await obstacleAbove(path, this.#search)) !== undefined) {
      return;
    }
    const ours = this.#asKnown(await this.#disk(path), change.base);
    const removes = change.oldPath === undefined ? sameState(ours, change.base) : ours.kind === 'file';
    if (removes) {
      this.#search.removed.add(path);
    }
  }

  async add(change: Change): Promise<void> {
    const { base, theirs, theirFile } = change;
    const from = change.oldPath ?? change.path;
    const text = this.#unsaved(from);
    const above = await obstacleAbove(from, this.#search);
    const disk = above === undefined ? await this.#disk(from) : ABSENT;
    const ours = this.#asKnown(this.#saved(disk, text), base);
    const sides = { base, theirs, ours };
    const decision = decide(sides);
    if (decision.kind === 'same' && change.oldPath === undefined) {
      this.plan.same.push(change.path);
      this.#addEntry(change);
      return;
    }
    if (above !== undefined) {
      return this.#conflict(change, sides, above);
    }
    if (decision.kind === 'conflict') {
      const isOther = ours.kind === 'absent' && (await this.#isThereAsAnother(from));
      return this.#conflict(change, sides, isOther ? 'onlyCaseDiffers' : decision.reason);
    }
    const obstacle =
      text !== undefined && 'unknown' in text ? 'unsaved' : await this.#obstacle(change, ours, text !== undefined);
    if (obstacle !== undefined) {
      return this.#conflict(change, sides, obstacle);
    }
    if (decision.kind === 'take') {
      return this.#put(change, disk, text, {
        after: theirs,
        ...(theirs.kind === 'file' ? { content: { file: theirFile } } : {}),
      });
    }
    if (decision.kind === 'same') {
      // Moved and otherwise left alone by the agent: what the user has moves.
      return this.#put(change, disk, text, { after: disk, content: { file: join(this.#user.root, from) } });
    }
    const merged = await mergeText(await this.#texts(change, sides, text), this.#user.environment);
    if (merged.kind !== 'clean') {
      return this.#conflict(
        change,
        sides,
        base.kind === 'absent' ? 'bothAdded' : 'bothChanged',
        merged.kind === 'conflict' ? merged.marked : undefined,
      );
    }
    const after = stateOfBytes(merged.content, decision.executable);
    return this.#put(change, disk, text, { after, content: { bytes: merged.content } });
  }

  async #obstacle(change: Change, ours: FileState, isUnsaved: boolean): Promise<ConflictReason | undefined> {
    if (isUnsaved && (change.oldPath !== undefined || change.theirs.kind !== 'file')) {
      return 'unsaved';
    }
    if (ours.kind === 'file' && ours.readOnly) {
      return 'readOnly';
    }
    if (change.theirs.kind === 'absent') {
      return obstacleAbove(change.path, this.#search);
    }
    const obstacle = await obstacleAt(change.path, this.#search);
    return obstacle ?? (this.#addEntry(change) === undefined ? undefined : 'onlyCaseDiffers');
  }

  /** @returns another path of the change that would be the same entry here, or have a folder in its place */
  #addEntry({ path, theirs }: Change): string | undefined {
    return this.#search.ignoreCase && theirs.kind !== 'absent' ? this.#entries.add(path) : undefined;
  }

  async #put(
    { path, oldPath, theirFile }: Change,
    disk: FileState,
    text: ReturnType<UnsavedText>,
    { after, content }: { after: FileState; content?: Content },
  ): Promise<void> {
    if (text !== undefined && 'bytes' in text) {
      const bytes = content === undefined || 'file' in content ? await readFile(theirFile) : content.bytes;
      this.plan.edits.push({ path, before: text.bytes, after: bytes });
      return;
    }
    if (oldPath !== undefined) {
      this.plan.files.push({ path: oldPath, before: disk, after: ABSENT });
    }
    const before = oldPath === undefined ? disk : await this.#before(path, oldPath);
    this.plan.files.push({ path, before, after, ...(content ? { content } : {}) });
  }

  /** What is at the new path of a rename once the old one is gone. */
  async #before(path: string, oldPath: string): Promise<FileState> {
    return this.#isSameEntry(path, oldPath) ? ABSENT : this.#disk(path);
  }

  async #conflict(
    change: Change,
    { base, theirs, ours }: Sides,
    reason: ConflictReason,
    marked?: Buffer,
  ): Promise<void> {
    const from = change.oldPath ?? change.path;
    const text = this.#unsaved(from);
    const unsaved = text !== undefined && 'bytes' in text ? { bytes: text.bytes } : undefined;
    this.#search.removed.delete(from);
    this.plan.conflicts.push({
      path: change.path,
      oursPath: from,
      reason,
      ...(base.kind === 'file' ? { base: { file: change.baseFile } } : {}),
      ...(ours.kind === 'file' ? { ours: unsaved ?? { file: join(this.#user.root, from) } } : {}),
      ...(theirs.kind === 'file' ? { theirs: { file: change.theirFile } } : {}),
      ...(marked ? { marked } : {}),
    });
  }

  async #texts(
    { baseFile, theirFile, path, oldPath }: Change,
    { base }: Sides,
    text: ReturnType<UnsavedText>,
  ): Promise<{ base: Buffer; ours: Buffer; theirs: Buffer }> {
    const [before, theirs] = await Promise.all([
      base.kind === 'file' ? readFile(baseFile) : Buffer.alloc(0),
      readFile(theirFile),
    ]);
    const ours =
      text !== undefined && 'bytes' in text ? text.bytes : await readFile(join(this.#user.root, oldPath ?? path));
    return { base: before, ours, theirs };
  }

  /** A folder is no file: it may still be in the way. What is below something that goes may be a link to elsewhere. */
  async #disk(path: string): Promise<FileState> {
    const isBelow = foldersOf(path).some(folder => this.#search.removed.has(folder));
    const state = isBelow ? ABSENT : await readState(join(this.#user.root, path));
    return state.kind === 'folder' || (state.kind !== 'absent' && (await this.#isThereAsAnother(path)))
      ? ABSENT
      : state;
  }

  /** Whether the file that the system finds at a path has a name that differs from it in case. */
  async #isThereAsAnother(path: string): Promise<boolean> {
    if (!this.#search.ignoreCase) {
      return false;
    }
    const [folder, name] = [join(this.#user.root, dirname(path)), basename(path)];
    const names = await readdir(folder).catch((): string[] => []);
    return !names.includes(name) && names.some(other => other.toLowerCase() === name.toLowerCase());
  }

  /** What the user has, with what they typed. */
  #saved(disk: FileState, text: ReturnType<UnsavedText>): FileState {
    if (text === undefined) {
      return disk;
    }
    // An editor whose text cannot be told is neither of the sides.
    const bytes = 'bytes' in text ? text.bytes : Buffer.from('\0unknown');
    return stateOfBytes(bytes, disk.kind === 'file' && disk.executable);
  }

  /** Where the file system keeps no modes, the user's file has the one that it began with. */
  #asKnown(ours: FileState, base: FileState): FileState {
    return !this.#hasModes && ours.kind === 'file' && base.kind === 'file'
      ? { ...ours, executable: base.executable }
      : ours;
  }

  #isSameEntry(one: string, other: string): boolean {
    return this.#search.ignoreCase && one.toLowerCase() === other.toLowerCase();
  }
}

function withoutUndefined({ oldPath, ...change }: Omit<Change, 'oldPath'> & { oldPath?: string | undefined }): Change {
  return oldPath === undefined ? change : { ...change, oldPath };
}
