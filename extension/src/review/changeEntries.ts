import type { FileChange } from '../../../protocol/callParts.ts';
import type { CallResult, Side } from '../../../protocol/calls.ts';
import { toUriParts } from './sessionUri.ts';
import type { UriParts } from './sessionUri.ts';

/** One row of the diff editor. */
export interface ChangeEntry {
  change: FileChange;
  /** The file at the side that is compared with; empty when it is not there. */
  before: UriParts;
  /** Absent for an added file, which gives it its badge. */
  original?: UriParts;
  /** For a deleted file an empty document, because an absent one could never carry an action. */
  modified: UriParts;
}

/** What the diff editor can show of the pending changes, and the paths of what it cannot. */
export function toChangeEntries(
  sessionId: string,
  changes: CallResult<'changes.list'>,
  from: Side = 'accepted',
): { entries: ChangeEntry[]; binaries: string[] } {
  const entries = changes.files
    .filter(change => !change.binary)
    .map(change => toEntry(sessionId, change, changes, from));
  return { entries, binaries: changes.files.filter(change => change.binary).map(change => change.path) };
}

/**
 * The original that each entry is shown with. The editor tells an extension only of diffs with both sides: where every
 * file is added, the first gets an empty original, so that the tab can be known again as this session's.
 */
export function originalsOf(entries: readonly ChangeEntry[]): (UriParts | undefined)[] {
  const onlyAdded = entries.every(entry => entry.original === undefined);
  return entries.map((entry, index) => (onlyAdded && index === 0 ? entry.before : entry.original));
}

function toEntry(sessionId: string, change: FileChange, changes: CallResult<'changes.list'>, from: Side): ChangeEntry {
  const before = toUriParts({
    sessionId,
    side: from,
    commit: changes.fromCommit,
    path: change.oldPath ?? change.path,
  });
  const modified = toUriParts({ sessionId, side: 'proposed', commit: changes.toCommit, path: change.path });
  return { change, modified, before, ...(change.status === 'added' ? {} : { original: before }) };
}

/**
 * The change that a path of the agent means. The agent names files absolutely, in its own clone, so the longest change
 * that ends the path is the one.
 */
export function findChange(files: readonly FileChange[], path: string): FileChange | undefined {
  const slashed = path.replaceAll('\\', '/');
  return files
    .filter(change => slashed === change.path || slashed.endsWith(`/${change.path}`))
    .sort((one, other) => other.path.length - one.path.length)[0];
}
