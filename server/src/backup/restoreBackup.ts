import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { BackupSummary, OnProgress } from '../core/dataFolderTools.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import { parseRefs, rebuildMirror } from '../git/mirrorCopy.ts';
import { DATABASE } from './backupFormat.ts';
import { readBackup } from './backupReader.ts';

export interface RestoreOptions {
  file: string;
  /** It exists, is empty but for what `isIgnored` names, and the caller holds its lock. */
  dataFolder: string;
  isIgnored(name: string): boolean;
  /** Opens the database that came out of the backup. @throws `version_mismatch` */
  tryDatabase(file: string): Promise<void>;
  onProgress: OnProgress;
}

const ASIDE = '.restoring';

/** Reads the whole backup and keeps nothing of it. Errors are those of `readBackup`. */
export function verifyBackup(file: string, onProgress: OnProgress): Promise<BackupSummary> {
  let parts = 0;
  return readBackup(file, async (_name, content) => {
    onProgress(`verifying, part ${++parts}`);
    for await (const _chunk of content) {
      // Only the checksum is of interest.
    }
  });
}

/**
 * Fills a folder from a backup that was verified. Its parts are put together in a folder of their own and moved into
 * place, the database last: without it there is no relay's data here.
 * @throws `conflict` when the folder is not empty, `version_mismatch`, `disk_full`; the folder is then as it was
 */
export async function restoreBackup(options: RestoreOptions): Promise<void> {
  const { file, dataFolder, onProgress } = options;
  await refuseFilled(options);
  const aside = join(dataFolder, ASIDE);
  try {
    await mkdir(aside, { mode: 0o700 });
    let parts = 0;
    await readBackup(file, async (name, content) => {
      onProgress(`restoring, part ${++parts}`);
      const path = join(aside, ...name.split('/'));
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    });
    await options.tryDatabase(join(aside, DATABASE));
    await rebuildMirrors(aside, onProgress);
    const names = (await readdir(aside)).filter(name => name !== DATABASE);
    for (const name of [...names, DATABASE]) {
      await rename(join(aside, name), join(dataFolder, name));
    }
  } catch (error) {
    throw explainDiskFull(error);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** @throws `conflict` when there is anything in the folder but what is ignored */
export async function refuseFilled({
  dataFolder,
  isIgnored,
}: Pick<RestoreOptions, 'dataFolder' | 'isIgnored'>): Promise<void> {
  const names = (await readdir(dataFolder).catch(() => [])).filter(name => !isIgnored(name));
  if (names.length > 0) {
    throw new SandpiperError('conflict', `The folder ${dataFolder} is not empty: it holds ${names[0]}.`, {
      hint: 'Restore into an empty folder; nothing is ever written over.',
    });
  }
}

async function rebuildMirrors(aside: string, onProgress: OnProgress): Promise<void> {
  const folder = join(aside, 'mirrors');
  const ids = await readdir(folder).catch(() => []);
  for (const [index, id] of ids.entries()) {
    onProgress(`mirrors ${index + 1} of ${ids.length}`);
    const parts = join(folder, id);
    const names = await readdir(parts);
    await rebuildMirror(join(folder, `${id}.git`), {
      refs: parseRefs(names.includes('refs') ? await readFile(join(parts, 'refs'), 'utf8') : ''),
      shallow: names.includes('shallow') ? await readFile(join(parts, 'shallow'), 'utf8') : undefined,
      packFile: names.includes('pack') ? join(parts, 'pack') : undefined,
    });
    await rm(parts, { recursive: true });
  }
}
