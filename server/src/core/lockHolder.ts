import { readFile, stat } from 'node:fs/promises';

/**
 * Whether a process of this machine runs, is not stopped, and holds a lock on a file, by the kernel's own tables. Only then
 * is a number that was written down earlier known to be that process still, and no other. Linux only; elsewhere false.
 */
export async function runsWithLock(pid: number, file: string): Promise<boolean> {
  const [table, status, found] = await Promise.all([
    readFile('/proc/locks', 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
    stat(file).catch(() => undefined),
  ]);
  return found !== undefined && /^State:\s+[RSD]/m.test(status) && isHeldBy(table, pid, found.ino);
}

/**
 * Reads lines like `2: POSIX ADVISORY WRITE 4711 08:01:131073 0 EOF`. The device is left out: on layered file systems it
 * is another one than `stat` tells.
 */
export function isHeldBy(table: string, pid: number, inode: number): boolean {
  return table.split('\n').some(line => {
    const [, , , kind, holder, place] = line.trim().split(/\s+/);
    return kind === 'WRITE' && Number(holder) === pid && place?.split(':').at(-1) === String(inode);
  });
}
