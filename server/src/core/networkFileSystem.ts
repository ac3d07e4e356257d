import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';

/** File systems of other machines, whose locks and shared memory a database cannot rely on. */
const NETWORK =
  /^(nfs\d?|cifs|smb\d?|smbfs|smb2|afs|afpfs|ncpfs|ceph|glusterfs|lustre|beegfs|davfs|webdav|fuse\.(sshfs|rclone|s3fs|glusterfs|ceph|davfs2?|gcsfuse|goofys|blobfuse2?))$/;

/**
 * The network file system that a folder is on, by a mount table in the form of Linux's `/proc/self/mountinfo`; undefined
 * when it is on none. Pure.
 * @param path absolute, without links
 */
export function networkFileSystemOf(path: string, mountInfo: string): { type: string; mountPoint: string } | undefined {
  let best: { type: string; mountPoint: string } | undefined;
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = unescapeMount(before.split(' ')[4] ?? '');
    const type = after.split(' ')[0] ?? '';
    // Of two mounts on one place the later one is seen.
    if (type !== '' && isBelow(path, mountPoint) && mountPoint.length >= (best?.mountPoint.length ?? 0)) {
      best = { type, mountPoint };
    }
  }
  return best && NETWORK.test(best.type) ? best : undefined;
}

/**
 * Refuses a data folder on a file system of another machine. Where the system has no mount table (macOS, Windows) this
 * cannot be known, and nothing is refused.
 * @throws `forbidden`
 */
export async function refuseNetworkFileSystem(folder: string): Promise<void> {
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const found = networkFileSystemOf(await nearestRealPath(folder), mountInfo);
  if (found) {
    throw new SandpiperError(
      'forbidden',
      `The data folder ${folder} is on a network file system (${found.type} at ${found.mountPoint}), where a database loses data.`,
      {
        hint: 'Choose a folder on a disk of this machine with SANDPIPER_DATA; a backup of the old one can be restored there: sandpiper backup.',
      },
    );
  }
}

function isBelow(path: string, mountPoint: string): boolean {
  return mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

/** Spaces, tabs, newlines and backslashes are octal in the table. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Of the folder, or of the nearest one above it that exists. */
async function nearestRealPath(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  const above = dirname(path);
  return real ?? (above === path ? path : nearestRealPath(above));
}
