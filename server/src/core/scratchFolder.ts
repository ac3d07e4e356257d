import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Makes an empty folder for one piece of work; its maker removes it. Those of the same kind that a killed process left are
 * removed first.
 * @param kind part of its name
 * @param staleMs no piece of work of this kind takes so long
 */
export async function makeScratchFolder(kind: string, staleMs: number = STALE_MS): Promise<string> {
  const prefix = `sandpiper-${kind}-`;
  await removeStale(prefix, staleMs).catch(() => {});
  return mkdtemp(join(tmpdir(), prefix));
}

/** Other users' stay: they may not be removed. */
async function removeStale(prefix: string, staleMs: number): Promise<void> {
  const names = (await readdir(tmpdir())).filter(name => name.startsWith(prefix));
  for (const name of names) {
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > staleMs) {
      await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }
}
