import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import module from 'node:module';
import { join } from 'node:path';
import { dataFolderOf, readEnvironment, VERSION } from './config.ts';

/*
 * Compiling the program takes half of the time that a relay needs to answer after a kill, so V8's work is kept. In the data
 * folder and not where Node would put it: there, other users of the machine could prepare code for us to run.
 */

const NAME = 'compiled';

/** From source the program is a thousand files, and others each day. */
const IS_BUNDLE = !import.meta.filename.endsWith('.ts');

/** To be called before the program is loaded. Without effect where Node cannot do it, or there is no data folder yet. */
export function useCompileCache(): void {
  const dataFolder = dataFolderOf(readEnvironment());
  // Making the folder is left to those who know what rights it must have.
  if (IS_BUNDLE && 'enableCompileCache' in module && existsSync(dataFolder)) {
    module.enableCompileCache(join(dataFolder, NAME, VERSION));
  }
}

/** Writes down what was compiled so far, for a process that may be killed, and forgets what other versions left. */
export async function keepCompiled(dataFolder: string): Promise<void> {
  if (IS_BUNDLE && 'flushCompileCache' in module) {
    module.flushCompileCache();
  }
  const folder = join(dataFolder, NAME);
  const versions = await readdir(folder).catch(() => []);
  await Promise.all(
    versions
      .filter(version => version !== VERSION)
      .map(version => rm(join(folder, version), { recursive: true, force: true })),
  );
}
