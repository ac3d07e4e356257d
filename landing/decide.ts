import { sameContent, sameState, type FileState } from './fileState.ts';

/** Why a path is left for a person to decide. */
export type ConflictReason =
  | 'bothChanged'
  | 'bothAdded'
  | 'youDeleted'
  | 'agentDeleted'
  | 'otherKind'
  | 'unsaved'
  | 'readOnly'
  | 'linkOnTheWay'
  | 'nestedRepository'
  | 'folderInTheWay'
  | 'onlyCaseDiffers'
  | 'forbiddenName'
  | 'submodule';

export const REASONS: Record<ConflictReason, string> = {
  bothChanged: 'you and the agent changed the same lines',
  bothAdded: 'you have another file of this name',
  youDeleted: 'you deleted or moved it, the agent changed it',
  agentDeleted: 'the agent deleted or moved it, you changed it',
  otherKind: 'it is a file on one side and something else on the other',
  unsaved: 'it has unsaved changes in the editor that this cannot be merged with',
  readOnly: 'it is read-only',
  linkOnTheWay: 'a folder of its path is a link',
  nestedRepository: 'it lies in another repository inside your folder',
  folderInTheWay: 'a folder of yours with other files is in its place',
  onlyCaseDiffers: 'another file has the same name but for capital letters',
  forbiddenName: 'its name cannot be used here',
  submodule: 'it is a submodule',
};

/** The three sides of one path: the session's start, the agent's, the user's as it is now. */
export interface Sides {
  base: FileState;
  theirs: FileState;
  ours: FileState;
}

export type Decision =
  | { kind: 'same' }
  | { kind: 'take' }
  /** The contents are to be merged; whether the file is then executable. */
  | { kind: 'merge'; executable: boolean }
  | { kind: 'conflict'; reason: ConflictReason };

/**
 * What becomes of one path. Pure. Nothing of the user's is given up: where both sides changed it and the contents cannot be
 * merged, it stays theirs to decide.
 */
export function decide({ base, theirs, ours }: Sides): Decision {
  if ([base, theirs, ours].some(({ kind }) => kind === 'other')) {
    return { kind: 'conflict', reason: 'submodule' };
  }
  if (sameState(ours, theirs)) {
    return { kind: 'same' };
  }
  if (sameState(ours, base)) {
    return { kind: 'take' };
  }
  if (ours.kind === 'absent') {
    return { kind: 'conflict', reason: 'youDeleted' };
  }
  if (theirs.kind === 'absent') {
    return { kind: 'conflict', reason: 'agentDeleted' };
  }
  if (ours.kind !== 'file' || theirs.kind !== 'file') {
    return { kind: 'conflict', reason: base.kind === 'absent' ? 'bothAdded' : 'otherKind' };
  }
  if (base.kind === 'absent' && ours.executable === theirs.executable) {
    // As git does: an empty file, or the same text, is no conflict.
    return { kind: 'merge', executable: ours.executable };
  }
  if (base.kind !== 'file') {
    return { kind: 'conflict', reason: base.kind === 'absent' ? 'bothAdded' : 'otherKind' };
  }
  const executable = ours.executable === base.executable ? theirs.executable : ours.executable;
  // The agent changed only the mode, or both made the same content: there is nothing to merge.
  return sameContent(base, theirs) && executable === ours.executable ? { kind: 'same' } : { kind: 'merge', executable };
}
