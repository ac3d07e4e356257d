import type { CommandId } from '../manifest.ts';
import type { PendingFile } from './pendingChanges.ts';
import type { ReviewTarget } from './reviewTarget.ts';
import { count, t, told } from '../../../protocol/text.ts';

/** A line of words over a line of the file; without a command it only says something. */
export interface Lens {
  line: number;
  title: string;
  tooltip?: string;
  command?: CommandId;
  target?: ReviewTarget;
}

/** Unchanged lines that the diff shows around a change; further ones it hides, with what stands over them. */
const SHOWN_LINES = 3;

/** What the review offers over a file's lines: each hunk where it begins, the whole file on the first line that shows. */
export function lensesOf(sessionId: string, file: PendingFile, isConflict: boolean): Lens[] {
  const target = { sessionId, path: file.path };
  const first = file.hunks[0]?.newStart ?? 0;
  const line = first > SHOWN_LINES ? first : 0;
  return [
    ...(isConflict ? conflictLenses(target, line) : []),
    ...file.hunks.flatMap(({ id, newStart }) => hunkLenses({ ...target, hunk: id }, newStart)),
    ...fileLenses(target, line, file),
  ];
}

function hunkLenses(target: ReviewTarget, line: number): Lens[] {
  return [
    { line, target, title: `$(check) ${t('Accept')}`, tooltip: t('Take this change'), command: 'sandpiper.acceptHunk' },
    {
      line,
      target,
      title: `$(discard) ${t('Reject')}`,
      tooltip: t('Put back what was here before'),
      command: 'sandpiper.rejectHunk',
    },
    {
      line,
      target,
      title: t('Reject…'),
      tooltip: t('Reject, and tell the agent why'),
      command: 'sandpiper.rejectWithReason',
    },
  ];
}

function fileLenses(target: ReviewTarget, line: number, file: PendingFile): Lens[] {
  const warning: Lens[] =
    file.sensitive === undefined
      ? []
      : [
          {
            line,
            title: `$(warning) ${told(file.sensitive)}`,
            tooltip: t('This file is never accepted with all others'),
          },
        ];
  if (file.hunks.length === 1) {
    return warning;
  }
  const isWhole = file.hunks.length === 0;
  return [
    ...warning,
    { line, title: isWhole ? wholeFileText(file) : t('{0} pending', count(file.hunks.length, 'change')) },
    {
      line,
      target,
      title: `$(check-all) ${isWhole ? t('Accept') : t('Accept File')}`,
      tooltip: t('Take this file'),
      command: 'sandpiper.acceptFile',
    },
    {
      line,
      target,
      title: `$(discard) ${isWhole ? t('Reject') : t('Reject File')}`,
      tooltip: t('Put this file back to what it was before'),
      command: 'sandpiper.rejectFile',
    },
  ];
}

function conflictLenses(target: ReviewTarget, line: number): Lens[] {
  return [
    {
      line,
      title: `$(warning) ${t('Conflict: yours is shown')}`,
      tooltip: t(
        'You and the agent changed the same lines. Edit this side until it is right, or take one of the two versions',
      ),
    },
    { line, target, title: t('Compare With Agent'), command: 'sandpiper.compareConflict' },
    { line, target, title: t('Keep Mine'), command: 'sandpiper.keepMine' },
    { line, target, title: t('Take Theirs'), command: 'sandpiper.takeTheirs' },
  ];
}

/** What happened to a file that is decided as a whole. */
export function wholeFileText(file: Pick<PendingFile, 'status' | 'oldPath' | 'mode' | 'oldMode' | 'binary'>): string {
  switch (file.status) {
    case 'added':
      return t('File added');
    case 'deleted':
      return t('File deleted');
    case 'renamed':
      return t('Renamed from {0}', file.oldPath ?? t('another name'));
    case 'typeChanged':
      return t('It became another kind of file');
    case 'modified':
      return file.mode === file.oldMode ? t('File changed') : modeText(file.mode);
  }
}

function modeText(mode: string): string {
  return mode === '100755' ? t('Made executable') : t('Made not executable');
}
