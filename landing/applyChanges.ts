import { SandpiperError, toError } from '../protocol/errors.ts';
import type { ApplyRecord, ApplyRecords } from './applyRecord.ts';
import { changedError, moveFiles, removeLeftovers, whereabouts } from './moveFiles.ts';
import type { ApplyPlan, EditStep } from './planApply.ts';
import { fileSystemOf, type UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

/** The editor, where one has unsaved text of the files. Without one no file has. */
export interface UnsavedEdits {
  /** Whether the file of a path has text that is not saved. */
  isUnsaved(path: string): Promise<boolean>;
  /** Replaces the text of each; all or none. @throws when a text is another by now */
  apply(edits: readonly EditStep[]): Promise<void>;
  /** Of these paths, those whose text or file is not what the apply made of it. */
  changed(record: ApplyRecord): Promise<string[]>;
  /** Puts back the text from before. */
  undo(record: ApplyRecord, paths: readonly string[]): Promise<void>;
}

export interface ApplyAbout {
  sessionId: string;
  title: string;
  commit: string;
  from: 'accepted' | 'all';
  part?: 'rejection';
}

/**
 * Carries a plan out: all of it or nothing. What happened is in a record, with which it can be undone.
 * @throws `conflict` when the user changed a file meanwhile, `disk_full`, `forbidden`; the folder is as it was then
 */
export async function applyPlan(
  records: ApplyRecords,
  user: UserFolder,
  plan: ApplyPlan,
  { about, editor, now = Date.now() }: { about: ApplyAbout; editor?: UnsavedEdits; now?: number },
): Promise<ApplyRecord> {
  let record: ApplyRecord;
  try {
    record = await records.create(plan, { ...about, root: user.root, ...fileSystemOf(user) }, now);
  } catch (error) {
    throw explained(error, t('Nothing was changed.'));
  }
  try {
    await moveFiles(records, record, 'after');
    if (plan.edits.length > 0) {
      await editor?.apply(plan.edits);
    }
  } catch (error) {
    throw await takenBack(records, record, error);
  }
  const applied: ApplyRecord = { ...record, phase: 'applied' };
  await records.write(applied);
  await records.prune(user.root);
  return applied;
}

/** What is left to do about an apply or an undo that was cut off: one of the two directions. */
export async function cutOff(records: ApplyRecords, root: string): Promise<ApplyRecord | undefined> {
  return (await records.list(root)).find(({ phase, pid }) => phase !== 'applied' && !isAlive(pid));
}

/** The latest apply to a folder that can be undone, or that was cut off. */
export async function lastApply(records: ApplyRecords, root: string): Promise<ApplyRecord | undefined> {
  return (await records.list(root)).find(({ phase, pid, files, edits }) =>
    phase === 'applied' ? files.length + edits.length > 0 : !isAlive(pid),
  );
}

/**
 * Takes an apply back, or one that was cut off: every file is what it was before.
 * @param options.others leaves out what was changed since, instead of refusing
 * @throws `conflict` naming what the user changed since (`details.changed`); nothing is undone then
 */
export async function undoApply(
  records: ApplyRecords,
  record: ApplyRecord,
  { editor, others = false }: { editor?: UnsavedEdits; others?: boolean } = {},
): Promise<{ undone: string[]; left: string[] }> {
  await removeLeftovers(record);
  const { before, after, changed } = await whereabouts(record);
  // Without an editor nobody can say what became of unsaved text.
  const editsChanged = editor ? await editor.changed(record) : record.edits.map(({ path }) => path);
  const left = [...changed.map(({ path }) => path), ...editsChanged];
  if (left.length > 0 && !others) {
    throw changedError(left);
  }
  await records.write({ ...record, phase: 'undoing', pid: process.pid });
  try {
    await moveFiles(records, record, 'before', after);
  } catch (error) {
    await moveFiles(records, record, 'after', after).catch(() => {});
    await records.write(record);
    throw explained(error, t('Nothing was undone.'));
  }
  const edits = record.edits.map(({ path }) => path).filter(path => !editsChanged.includes(path));
  await editor?.undo(record, edits);
  await records.remove(record);
  const touched = new Set([...after, ...(record.phase === 'applied' ? [] : before)].map(({ path }) => path));
  return { undone: [...touched, ...edits], left };
}

/** Finishes an apply that was cut off. @throws `conflict` naming what the user changed since */
export async function finishApply(records: ApplyRecords, record: ApplyRecord): Promise<ApplyRecord> {
  await removeLeftovers(record);
  const { before, changed } = await whereabouts(record);
  if (changed.length > 0) {
    throw changedError(changed.map(({ path }) => path));
  }
  try {
    await moveFiles(records, record, 'after', before);
  } catch (error) {
    throw explained(error, t('It is as far as it was.'));
  }
  // What was unsaved in an editor is gone with that editor.
  const applied: ApplyRecord = { ...record, phase: 'applied', edits: [] };
  await records.write(applied);
  return applied;
}

async function takenBack(records: ApplyRecords, record: ApplyRecord, error: unknown): Promise<SandpiperError> {
  try {
    await moveFiles(records, record, 'before', (await whereabouts(record)).after);
  } catch {
    // The record stays, and nobody works on it: `undo` tries again.
    await records.write({ ...record, pid: 0 });
    return explained(error, t('Some files were changed already; undo the apply to take them back.'));
  }
  await records.remove(record);
  return explained(error, t('Nothing was changed.'));
}

function explained(thrown: unknown, outcome: string): SandpiperError {
  const error = toError(thrown);
  if (error instanceof SandpiperError) {
    return new SandpiperError(error.code, `${error.message} ${outcome}`, {
      hint: error.hint ?? t('Try again.'),
      details: error.details,
      cause: error,
    });
  }
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new SandpiperError('disk_full', t('There is no room for the changed files. {0}', outcome), {
      hint: t('Free some space, then try again.'),
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SandpiperError('forbidden', `${error.message}. ${outcome}`, {
      hint: t('Make the folder writable, then try again.'),
      cause: error,
    });
  }
  return new SandpiperError('internal', `${error.message}. ${outcome}`, { cause: error });
}

function isAlive(pid: number): boolean {
  if (pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
