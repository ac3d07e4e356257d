import { join } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import { applyPlan } from './applyChanges.ts';
import type { ApplyRecord, ApplyRecords } from './applyRecord.ts';
import { ABSENT, readState, sameContent, stateOfBytes } from './fileState.ts';
import { changedError } from './moveFiles.ts';
import type { Content, FileStep } from './planApply.ts';
import type { UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

/**
 * Puts what a person decided about a conflict into their folder, as an apply of its own that can be undone.
 * @param resolution.content of the file then; undefined removes it
 * @throws `conflict` when their file is not the one any more that the conflict was found in
 */
export async function resolveConflict(
  records: ApplyRecords,
  user: UserFolder,
  record: ApplyRecord,
  { index, content }: { index: number; content: Content | undefined },
): Promise<ApplyRecord> {
  const conflict = record.conflicts[index];
  if (!conflict) {
    throw new SandpiperError('not_found', t('There is no such conflict.'));
  }
  const { path, oursPath } = conflict;
  const ours = records.conflictOf(record, index, 'ours');
  const [seen, before] = await Promise.all([ours ? readState(ours) : ABSENT, readState(join(user.root, oursPath))]);
  if (ours === undefined ? before.kind !== 'absent' : !sameContent(seen, before)) {
    throw changedError([oursPath]);
  }
  const executable = before.kind === 'file' && before.executable;
  const after = content === undefined ? ABSENT : await stateOf(content, executable);
  const step: FileStep = {
    path,
    before: path === oursPath ? before : await readState(join(user.root, path)),
    after,
    ...(content ? { content } : {}),
  };
  const moved: FileStep[] = path === oursPath ? [] : [{ path: oursPath, before, after: ABSENT }];
  const { sessionId, title, commit, from } = record;
  const applied = await applyPlan(
    records,
    user,
    {
      files: [...moved, step].filter(one => one.before.kind !== one.after.kind || one.after.kind === 'file'),
      edits: [],
      conflicts: [],
      same: [],
    },
    { about: { sessionId, title, commit, from } },
  );
  await markResolved(records, record, index);
  return applied;
}

/** Leaves a conflict as it is: the user's file counts. */
export async function markResolved(records: ApplyRecords, { id, root }: ApplyRecord, index: number): Promise<void> {
  const latest = (await records.list(root)).find(record => record.id === id);
  if (latest) {
    const conflicts = latest.conflicts.map((one, at) => (at === index ? { ...one, resolved: true } : one));
    await records.write({ ...latest, conflicts });
  }
}

async function stateOf(content: Content, executable: boolean): Promise<FileStep['after']> {
  if ('bytes' in content) {
    return stateOfBytes(content.bytes, executable);
  }
  const state = await readState(content.file);
  return state.kind === 'file' ? { ...state, executable } : state;
}
