import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BLOCK = Buffer.alloc(1 << 16);
const SIZE = '192m';

/** A disk of its own that can be filled to the last byte. */
export interface SmallDisk {
  readonly folder: string;
  fill(): Promise<void>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts a small tmpfs; undefined where the system does not let us (only root may, and only on Linux). */
export async function mountSmallDisk(folder: string): Promise<SmallDisk | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'sandpiper-chaos', folder]);
  } catch {
    return undefined;
  }
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: async () => {
      const file = await open(filler, 'w');
      try {
        // In pieces that get smaller, until not a byte goes in.
        for (let size = BLOCK.length; size > 0; size = Math.floor(size / 2)) {
          await writeUntilFull(file, BLOCK.subarray(0, size));
        }
      } finally {
        await file.close().catch(() => {});
      }
    },
    free: () => rm(filler, { force: true }),
    remove: async () => {
      await run('umount', ['-l', folder]);
    },
  };
}

async function writeUntilFull(
  file: { write(data: Buffer): Promise<{ bytesWritten: number }> },
  data: Buffer,
): Promise<void> {
  try {
    while ((await file.write(data)).bytesWritten === data.length) {
      // There was room.
    }
  } catch {
    // There is none.
  }
}
