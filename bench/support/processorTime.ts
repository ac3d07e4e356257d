import { readFile } from 'node:fs/promises';
import { run } from '../../scripts/setup/command.ts';

/** A hundredth of a second everywhere that Linux runs on. */
const LINUX_TICK_MS = 10;

/** The processor time in milliseconds that a process has used. @throws when there is no such process */
export async function processorMs(pid: number): Promise<number> {
  if (process.platform !== 'linux') {
    const { output } = await run('ps', ['-o', 'time=', '-p', String(pid)]);
    return (
      output
        .trim()
        .split(':')
        .reduce((seconds, part) => seconds * 60 + Number(part), 0) * 1000
    );
  }
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may have spaces: fields are counted from the parenthesis behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * LINUX_TICK_MS;
}
