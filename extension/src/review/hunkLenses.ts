import type { CommandId } from '../manifest.ts';
import { count } from '../sessions/sessionGroups.ts';
import type { PendingFile } from './pendingChanges.ts';
import type { ReviewTarget } from './reviewTarget.ts';

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
    { line, target, title: '$(check) Accept', tooltip: 'Take this change', command: 'sandpiper.acceptHunk' },
    {
      line,
      target,
      title: '$(discard) Reject',
      tooltip: 'Put back what was here before',
      command: 'sandpiper.rejectHunk',
    },
  ];
}

function fileLenses(target: ReviewTarget, line: number, file: PendingFile): Lens[] {
  const warning: Lens[] =
    file.sensitive === undefined
      ? []
      : [{ line, title: `$(warning) ${file.sensitive}`, tooltip: 'This file is never accepted with all others' }];
  if (file.hunks.length === 1) {
    return warning;
  }
  const isWhole = file.hunks.length === 0;
  const noun = isWhole ? '' : ' File';
  return [
    ...warning,
    { line, title: isWhole ? wholeFileText(file) : `${count(file.hunks.length, 'change')} pending` },
    {
      line,
      target,
      title: `$(check-all) Accept${noun}`,
      tooltip: 'Take this file',
      command: 'sandpiper.acceptFile',
    },
    {
      line,
      target,
      title: `$(discard) Reject${noun}`,
      tooltip: 'Put this file back to what it was before',
      command: 'sandpiper.rejectFile',
    },
  ];
}

function conflictLenses(target: ReviewTarget, line: number): Lens[] {
  return [
    {
      line,
      title: '$(warning) Conflict: you and the agent changed the same lines. Yours stand here',
      tooltip: 'Edit this side until it is right, or take one of the two versions',
    },
    { line, target, title: 'Compare With Agent', command: 'sandpiper.compareConflict' },
    { line, target, title: 'Keep Mine', command: 'sandpiper.keepMine' },
    { line, target, title: 'Take Theirs', command: 'sandpiper.takeTheirs' },
  ];
}

/** What happened to a file that is decided as a whole. */
export function wholeFileText(file: Pick<PendingFile, 'status' | 'oldPath' | 'mode' | 'oldMode' | 'binary'>): string {
  switch (file.status) {
    case 'added':
      return 'File added';
    case 'deleted':
      return 'File deleted';
    case 'renamed':
      return `Renamed from ${file.oldPath ?? 'another name'}`;
    case 'typeChanged':
      return 'It became another kind of file';
    case 'modified':
      return file.mode === file.oldMode ? 'File changed' : modeText(file.mode);
  }
}

function modeText(mode: string): string {
  return mode === '100755' ? 'Made executable' : 'Made not executable';
}
