import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A PATH with every program of this machine but bwrap, made in a folder. */
export async function pathWithoutBubblewrap(folder: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const found = (process.env['PATH'] ?? '').split(':').filter(part => part.startsWith('/'));
  for (const part of [...found, '/usr/bin', '/bin']) {
    for (const name of await readdir(part).catch(() => [])) {
      if (name !== 'bwrap') {
        // The first folder of PATH counts.
        await symlink(join(part, name), join(bin, name)).catch(() => {});
      }
    }
  }
  return bin;
}
