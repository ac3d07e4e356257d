import type { PendingFile } from '../../../protocol/pendingReview.ts';
import type { Verdict } from './changesPanel.ts';

/** Something that is decided on its own: a hunk, or a file that has none. */
export interface Place {
  key: string;
  path: string;
  hunk?: string;
}

/** @param reason why it is rejected */
export type Decide = (verdict: Verdict, place: { path: string; hunk?: string }, reason?: string) => void;

/** From top to bottom. */
export function placesOf(files: readonly PendingFile[]): Place[] {
  return files.flatMap(({ path, hunks }) =>
    hunks.length === 0
      ? [{ key: placeKey(path), path }]
      : hunks.map(({ id }) => ({ key: placeKey(path, id), path, hunk: id })),
  );
}

export function placeKey(path: string, hunk = ''): string {
  return `${hunk} ${path}`;
}
