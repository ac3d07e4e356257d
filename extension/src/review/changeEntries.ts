import type { FileChange } from '../../../protocol/callParts.ts';
import { toUriParts } from './sessionUri.ts';
import type { ShownTree, UriParts } from './sessionUri.ts';

/** One row of the diff editor. */
export interface ChangeEntry {
  change: FileChange;
  /** The file at the side that is compared with; empty when it is not there. */
  before: UriParts;
  /**
   * Absent for an added file where nothing is decided, which gives it its badge. In a review it is the empty document, so
   * that the two sides are the same once the file is accepted.
   */
  original?: UriParts;
  /** For a deleted file an empty document, because an absent one could never carry an action. */
  modified: UriParts;
}

/** What the diff editor can show of changes from a side to the proposed one, and the paths of what it cannot. */
export function toChangeEntries(
  sessionId: string,
  files: readonly FileChange[],
  from: ShownTree = 'accepted',
): { entries: ChangeEntry[]; binaries: string[] } {
  return {
    entries: files.filter(change => !change.binary).map(change => toEntry(sessionId, change, from)),
    binaries: files.filter(change => change.binary).map(change => change.path),
  };
}

/**
 * The original that each entry is shown with. The editor tells an extension only of diffs with both sides: where every
 * file is added, the first gets an empty original, so that the tab can be known again as this session's.
 */
export function originalsOf(entries: readonly ChangeEntry[]): (UriParts | undefined)[] {
  const onlyAdded = entries.every(entry => entry.original === undefined);
  return entries.map((entry, index) => (onlyAdded && index === 0 ? entry.before : entry.original));
}

export function toEntry(sessionId: string, change: FileChange, from: ShownTree = 'accepted'): ChangeEntry {
  const before = toUriParts({ sessionId, side: from, path: change.oldPath ?? change.path });
  const modified = toUriParts({ sessionId, side: 'proposed', path: change.path });
  return { change, modified, before, ...(change.status === 'added' && from === 'base' ? {} : { original: before }) };
}

/**
 * The change that a path of the agent means. The agent names files absolutely, in its own clone, so the longest change
 * that ends the path is the one.
 */
export function findChange<Change extends FileChange>(files: readonly Change[], path: string): Change | undefined {
  const slashed = path.replaceAll('\\', '/');
  return files
    .filter(change => slashed === change.path || slashed.endsWith(`/${change.path}`))
    .sort((one, other) => other.path.length - one.path.length)[0];
}
