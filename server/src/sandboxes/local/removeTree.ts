import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from './safeFolder.ts';

/**
 * Removes a folder and all in it; links are removed, never followed. Nothing may run that could change the folder
 * meanwhile. What was in a sandbox may have taken its folders' permissions away; they are given back first.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
  } catch (error) {
    if (!hasErrorCode(error, 'EACCES', 'EPERM')) {
      throw error;
    }
    await openFolders(path);
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
  }
}

/** What the failed removal had begun still goes on while this looks: what is gone by now is as it should be. */
async function openFolders(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isDirectory()) {
      return;
    }
    await chmod(path, 0o700);
    for (const name of await readdir(path)) {
      await openFolders(join(path, name));
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) {
      throw error;
    }
  }
}
