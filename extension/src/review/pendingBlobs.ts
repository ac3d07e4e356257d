import type { Pending } from './pendingChanges.ts';
import type { SessionFile } from './sessionUri.ts';

/**
 * The content that a side of a review has at a path: null where it has no such file, undefined where nothing is pending,
 * so that it cannot be told.
 */
export function blobAt({ files }: Pick<Pending, 'files'>, { side, path }: SessionFile): string | null | undefined {
  if (side !== 'accepted' && side !== 'proposed') {
    return undefined;
  }
  const isProposed = side === 'proposed';
  const here = files.find(file => (isProposed ? file.path : (file.oldPath ?? file.path)) === path);
  if (here) {
    return (isProposed ? here.blob : here.oldBlob) ?? null;
  }
  // The other end of a rename.
  return files.some(file => (isProposed ? file.oldPath : file.path) === path) ? null : undefined;
}
