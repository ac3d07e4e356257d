import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
} from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import type { ApplyRecord, ApplyRecords, RecordedFile, RecordSide } from './applyRecord.ts';
import { REASONS } from './decide.ts';
import { ABSENT, isMissing, readState, sameContent, sameState, type FileState } from './fileState.ts';
import { obstacleAbove } from './obstacles.ts';
import { inBatches } from './inBatches.ts';
import { foldersOf } from './paths.ts';
import { t, told } from '../protocol/text.ts';

/** Where the files of a record are: still as they were before it, already as after it, or something else. */
export interface Whereabouts {
  before: RecordedFile[];
  after: RecordedFile[];
  /** Changed by somebody since. */
  changed: RecordedFile[];
}

interface Step {
  file: RecordedFile;
  index: number;
  /** What was at the path when it was looked at. */
  seen: Stats | undefined;
  to: FileState;
  staged?: string;
}

/** Looks where each file of a record is. A file that is the same before and after is `after`. */
export async function whereabouts(record: ApplyRecord): Promise<Whereabouts> {
  const found: Whereabouts = { before: [], after: [], changed: [] };
  const states = await inBatches(record.files, ({ path }) => stateOf(record, path));
  for (const [index, file] of record.files.entries()) {
    const now = states[index] ?? ABSENT;
    found[sameIn(record, now, file.after) ? 'after' : sameIn(record, now, file.before) ? 'before' : 'changed'].push(
      file,
    );
  }
  return found;
}

/**
 * Makes files of a record what they were before it or are after it. Everything that needs room is written beside its place
 * first; then files go, and last the new ones come, each by one rename. What is there already stays.
 * @param files which of the record's
 * @throws `conflict` when a file is neither as before nor as after; the file system's own errors. Some files may have
 *   moved by then: moving them back is this function again
 */
export async function moveFiles(
  records: ApplyRecords,
  record: ApplyRecord,
  to: RecordSide,
  files: readonly RecordedFile[] = record.files,
): Promise<void> {
  const steps = await look(record, to, files);
  try {
    await inBatches(steps, step => stage(records, record, step, to));
    for (const step of steps.filter(one => one.to.kind === 'absent')) {
      await refuseChanged(record, step);
      await unlink(join(record.root, step.file.path));
    }
    for (const { file } of steps.filter(one => one.to.kind === 'absent')) {
      await removeEmptyFolders(record.root, file.path);
    }
    for (const step of steps.filter(one => one.to.kind !== 'absent')) {
      await put(record, step);
    }
  } finally {
    for (const { staged } of steps) {
      if (staged !== undefined) {
        await rm(staged, { force: true });
      }
    }
  }
}

/** What a process that was cut off left beside the files. */
export async function removeLeftovers(record: ApplyRecord): Promise<void> {
  for (const [index, { path }] of record.files.entries()) {
    for (const folder of ['', ...foldersOf(path)]) {
      await rm(join(record.root, folder, stagedName(record, index)), { force: true }).catch(() => {});
    }
  }
}

async function look(record: ApplyRecord, to: RecordSide, files: readonly RecordedFile[]): Promise<Step[]> {
  const from = to === 'after' ? 'before' : 'after';
  const steps: Step[] = [];
  const changed: string[] = [];
  const wanted = new Set(files);
  const chosen = [...record.files.entries()].filter(([, file]) => wanted.has(file));
  const found = await inBatches(chosen, async ([index, file]) => {
    // Before the content: who saves between the two is noticed then.
    const there = await lstatIfThere(join(record.root, file.path));
    const now = await stateOf(record, file.path);
    return { index, file, now, seen: now.kind === 'absent' ? undefined : there };
  });
  for (const { index, file, now, seen } of found) {
    if (sameIn(record, now, file[to])) {
      continue;
    }
    if (!sameIn(record, now, file[from])) {
      changed.push(file.path);
      continue;
    }
    steps.push({ file, index, seen, to: file[to] });
  }
  if (changed.length > 0) {
    throw changedError(changed);
  }
  const removed = new Set(steps.filter(step => step.to.kind === 'absent').map(({ file }) => file.path));
  for (const { file } of steps) {
    const reason = await obstacleAbove(file.path, { root: record.root, removed, ignoreCase: false });
    if (reason !== undefined) {
      throw new SandpiperError('conflict', t('{0} cannot be changed: {1}.', file.path, told(REASONS[reason])));
    }
  }
  return steps;
}

export function changedError(paths: readonly string[]): SandpiperError {
  const listed = paths.slice(0, 5).join(', ');
  const text =
    paths.length > 5
      ? t('Changed since: {0} and {1} more.', listed, paths.length - 5)
      : t('Changed since: {0}.', listed);
  return new SandpiperError('conflict', text, {
    details: { changed: paths.slice(0, 1000) },
  });
}

/** Writes the new content where a rename can take it from. */
async function stage(records: ApplyRecords, record: ApplyRecord, step: Step, to: RecordSide): Promise<void> {
  if (step.to.kind !== 'file' && step.to.kind !== 'link') {
    return;
  }
  step.staged = join(record.root, await existingFolder(record.root, step.file.path), stagedName(record, step.index));
  await rm(step.staged, { force: true });
  if (step.to.kind === 'link') {
    await symlink(step.to.target, step.staged);
    return;
  }
  // The process's own mask decides who may read a new file.
  const created = await open(step.staged, 'wx', step.to.executable ? 0o777 : 0o666);
  const { mode: mask } = await created.stat();
  await created.close();
  await copyFile(records.contentOf(record, step.index, to), step.staged);
  await chmod(step.staged, step.seen?.isFile() ? modeLike(step.seen.mode, step.to.executable) : mask);
  const file = await open(step.staged, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rights of the file that was there, executable for whoever may read it or for nobody. */
function modeLike(mode: number, executable: boolean): number {
  const rights = mode & 0o777;
  return executable ? rights | ((rights & 0o444) >> 2) : rights & ~0o111;
}

async function put(record: ApplyRecord, step: Step): Promise<void> {
  const path = join(record.root, step.file.path);
  if (step.staged === undefined) {
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  if (step.seen) {
    await refuseChanged(record, step);
    await rename(step.staged, path);
    return;
  }
  // Unlike a rename, these fail when somebody has made a file of that name meanwhile.
  try {
    if (step.to.kind === 'link') {
      await symlink(step.to.target, path);
    } else {
      await link(step.staged, path);
    }
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      throw changedError([step.file.path]);
    }
    if (step.to.kind === 'link' || (await lstatIfThere(path))) {
      throw error;
    }
    // A file system without hard links.
    await rename(step.staged, path);
  }
}

/** Somebody may have saved the file since it was looked at. */
async function refuseChanged(record: ApplyRecord, { file, seen }: Step): Promise<void> {
  const now = await lstatIfThere(join(record.root, file.path));
  const isSame =
    now !== undefined &&
    seen !== undefined &&
    now.ino === seen.ino &&
    now.size === seen.size &&
    now.mtimeMs === seen.mtimeMs &&
    now.ctimeMs === seen.ctimeMs;
  if (!isSame) {
    throw changedError([file.path]);
  }
}

/** The deepest folder above a path that is there and is no link. */
async function existingFolder(root: string, path: string): Promise<string> {
  let deepest = '';
  for (const folder of foldersOf(path)) {
    if (!(await lstatIfThere(join(root, folder)))?.isDirectory()) {
      break;
    }
    deepest = folder;
  }
  return deepest;
}

async function removeEmptyFolders(root: string, path: string): Promise<void> {
  for (const folder of foldersOf(path).toReversed()) {
    try {
      await rmdir(join(root, folder));
    } catch (error) {
      if (isMissing(error)) {
        continue;
      }
      return;
    }
  }
}

function stagedName({ id }: ApplyRecord, index: number): string {
  return `.sandpiper-${id}-${index}.tmp`;
}

/**
 * A folder is no file: either its files all go first, or what is to take its place fails. Where capital letters do not
 * count, a file of nearly the same name is another one.
 */
async function stateOf({ root, ignoreCase }: ApplyRecord, path: string): Promise<FileState> {
  const found = await readState(join(root, path));
  const state = found.kind === 'folder' ? ABSENT : found;
  if (state.kind === 'absent' || !ignoreCase) {
    return state;
  }
  const full = join(root, path);
  return (await readdir(dirname(full))).includes(basename(full)) ? state : ABSENT;
}

function sameIn({ hasModes }: ApplyRecord, one: FileState, other: FileState): boolean {
  return hasModes ? sameState(one, other) : sameContent(one, other) || (one.kind !== 'file' && sameState(one, other));
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
