import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { syncFolder } from '../core/syncFolder.ts';
import type { GitObject } from './objectReader.ts';
import type { Mirror } from './mirror.ts';

const compress = promisify(deflate);

/**
 * Writes a loose object and gives its id. Durable when it resolves: a decision of a reviewer is acknowledged after it. The
 * same object twice is one. Written here and not by git, because a decision writes half a dozen of them and a process
 * for each would be most of its time.
 */
export async function writeObject(mirror: Mirror, type: GitObject['type'], content: Uint8Array): Promise<string> {
  const header = Buffer.from(`${type} ${content.length}\0`);
  const id = createHash('sha1').update(header).update(content).digest('hex');
  const folder = join(mirror.path, 'objects', id.slice(0, 2));
  const path = join(folder, id.slice(2));
  if (await exists(path)) {
    return id;
  }
  await mkdir(folder, { recursive: true });
  // The name that git's own clean-up takes for a left-over.
  const temporary = join(folder, `tmp_obj_${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', 0o444);
    try {
      await file.writeFile(await compress(Buffer.concat([header, content]), { level: 1 }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return id;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
