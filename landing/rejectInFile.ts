import { join } from 'node:path';
import { SandpiperError, toSandpiperError } from '../protocol/errors.ts';
import { applyPlan, type ApplyAbout, type UnsavedEdits } from './applyChanges.ts';
import type { ApplyRecords } from './applyRecord.ts';
import { ABSENT, readState, stateOfBytes } from './fileState.ts';
import type { ApplyPlan } from './planApply.ts';
import type { UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

/** The user's file: what was looked at, and what it is to be. Undefined bytes: no file. */
export interface FileRejection {
  path: string;
  before: Buffer | undefined;
  after: Buffer | undefined;
  /** `before` is in an editor that has not saved it. */
  isUnsaved: boolean;
  /** Of a file that comes back. */
  executable: boolean;
}

/** The review in which the same is rejected. */
export interface ReviewSide {
  reject(): Promise<void>;
  takeBack(): Promise<void>;
}

interface Place {
  records: ApplyRecords;
  user: UserFolder;
  editor: UnsavedEdits;
  about: Omit<ApplyAbout, 'title' | 'part'>;
}

/**
 * Rejects in the review and in the user's file: both or neither. The file can be brought back as an apply is undone.
 * @throws what the review throws; `conflict` when the file is not what was looked at: nothing is rejected then, unless the
 *   message says so
 */
export async function rejectInFile(place: Place, file: FileRejection, review: ReviewSide): Promise<void> {
  await review.reject();
  try {
    await change(place, file);
  } catch (thrown) {
    const error = toSandpiperError(thrown);
    const outcome = await review.takeBack().then(
      () => t('Nothing was rejected; your file is as it is.'),
      () => t('It is rejected in the review, but still stands in {0}.', file.path),
    );
    throw new SandpiperError(error.code, t('{0} could not be changed. {1} {2}', file.path, error.message, outcome), {
      hint: t('Look at what stands there now, then decide again.'),
      cause: error,
    });
  }
}

async function change(place: Place, file: FileRejection): Promise<void> {
  const { records, user, editor, about } = place;
  const { path, before, after, isUnsaved } = file;
  const plan: ApplyPlan = { files: [], edits: [], conflicts: [], same: [] };
  if (isUnsaved && before && after) {
    plan.edits.push({ path, before, after });
  } else if (isUnsaved || (await editor.isUnsaved(path))) {
    throw new SandpiperError('conflict', t('It has unsaved text in an editor.'));
  } else {
    const now = await readState(join(user.root, path));
    const executable = now.kind === 'file' ? now.executable : file.executable;
    plan.files.push({
      path,
      before: before ? stateOfBytes(before, executable) : ABSENT,
      after: after ? stateOfBytes(after, executable) : ABSENT,
      ...(after ? { content: { bytes: after } } : {}),
    });
  }
  await applyPlan(records, user, plan, {
    about: { ...about, title: t('Reject in {0}', path), part: 'rejection' },
    editor,
  });
}
