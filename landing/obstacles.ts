import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConflictReason } from './decide.ts';
import { isMissing } from './fileState.ts';
import { foldersOf, isSafePath } from './paths.ts';

/** What stands in the way of changing a path of the user's folder. */
export interface ObstacleSearch {
  root: string;
  /** Paths that are removed before anything is written. */
  removed: ReadonlySet<string>;
  /** The file system takes names that differ only in case for the same. */
  ignoreCase: boolean;
}

/** Why nothing may be written at a path, or undefined. Nothing is ever written through a link or into another repository. */
export async function obstacleAt(path: string, search: ObstacleSearch): Promise<ConflictReason | undefined> {
  const above = await obstacleAbove(path, search);
  if (above !== undefined) {
    return above;
  }
  const found = await lstat(join(search.root, path)).catch(missing);
  if (found?.isDirectory()) {
    return (await holdsOnly(path, search)) ? undefined : 'folderInTheWay';
  }
  if (search.ignoreCase) {
    return (await hasExactName(path, search)) ? undefined : 'onlyCaseDiffers';
  }
  return undefined;
}

/** Why a path must not be reached at all, or undefined. */
export async function obstacleAbove(path: string, search: ObstacleSearch): Promise<ConflictReason | undefined> {
  if (!isSafePath(path, process.platform)) {
    return 'forbiddenName';
  }
  for (const folder of foldersOf(path)) {
    const found = await lstat(join(search.root, folder)).catch(missing);
    if (!found) {
      return undefined;
    }
    if (found.isSymbolicLink()) {
      return search.removed.has(folder) ? undefined : 'linkOnTheWay';
    }
    if (!found.isDirectory()) {
      return search.removed.has(folder) ? undefined : 'otherKind';
    }
    if (await lstat(join(search.root, folder, '.git')).catch(missing)) {
      return 'nestedRepository';
    }
  }
  return undefined;
}

/** Whether everything in a folder is removed anyway. */
async function holdsOnly(folder: string, search: ObstacleSearch): Promise<boolean> {
  const entries = await readdir(join(search.root, folder), { withFileTypes: true });
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (!(entry.isDirectory() ? await holdsOnly(path, search) : search.removed.has(path))) {
      return false;
    }
  }
  return true;
}

/** Whether the name on disk is this one, or goes anyway. */
async function hasExactName(path: string, { root, removed }: ObstacleSearch): Promise<boolean> {
  const folder = foldersOf(path).at(-1);
  const names = (await readdir(join(root, folder ?? '')).catch(missing)) ?? [];
  const name = path.slice(folder === undefined ? 0 : folder.length + 1);
  if (names.includes(name)) {
    return true;
  }
  const there = names.filter(other => other.toLowerCase() === name.toLowerCase());
  return there.every(other => removed.has(folder === undefined ? other : `${folder}/${other}`));
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) {
    throw error;
  }
  return undefined;
}
