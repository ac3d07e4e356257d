import { readFile } from 'node:fs/promises';
import { run } from '../../scripts/setup/command.ts';

/** The resident memory of a process in KB. @throws when there is no such process, or no way to know */
export async function residentKb(pid: number): Promise<number> {
  const text =
    process.platform === 'linux'
      ? /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
      : (await run('ps', ['-o', 'rss=', '-p', String(pid)])).output.trim();
  const kilobytes = Number(text);
  if (!Number.isSafeInteger(kilobytes) || kilobytes === 0) {
    throw new Error(`The memory of process ${pid} is not known.`);
  }
  return kilobytes;
}
