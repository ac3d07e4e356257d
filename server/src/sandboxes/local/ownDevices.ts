import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Mount } from '../provider.ts';

const run = promisify(execFile);
/** Name, major and minor number, as `bwrap --dev` shows them. */
const DEVICES = [
  ['null', '1', '3'],
  ['zero', '1', '5'],
  ['full', '1', '7'],
  ['random', '1', '8'],
  ['urandom', '1', '9'],
  ['tty', '5', '0'],
] as const;

/**
 * Makes device files that belong to one sandbox. `bwrap --dev` shows the host's own, and where the relay runs as root the
 * kernel takes what is inside for their owner: `chmod 0 /dev/null` in a sandbox would be one for the whole machine.
 * Does nothing for a relay that is not root, and where device files cannot be made or used.
 */
export async function makeOwnDevices(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    return;
  }
  await mkdir(folder);
  for (const [name, major, minor] of DEVICES) {
    await run('mknod', ['-m', '666', join(folder, name), 'c', major, minor]).catch(() => {});
  }
}

/** What to bind over the host's devices. */
export async function ownDevices(folder: string): Promise<Mount[]> {
  const found = await Promise.all(
    DEVICES.map(async ([name]) => {
      const hostPath = join(folder, name);
      return (await isUsable(name, hostPath)) ? [{ hostPath, path: `/dev/${name}` }] : [];
    }),
  );
  return found.flat();
}

/** A file system mounted `nodev` holds devices that cannot be opened. Opening a terminal would need one. */
async function isUsable(name: string, hostPath: string): Promise<boolean> {
  try {
    await access(hostPath, constants.W_OK);
    const file = await open(name === 'tty' ? join(hostPath, '../null') : hostPath, 'r');
    await file.close();
    return true;
  } catch {
    return false;
  }
}
