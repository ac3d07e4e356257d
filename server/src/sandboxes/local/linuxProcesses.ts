import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { MARKER } from './processTable.ts';
import type { ProcessEntry, ProcessTable } from './processTable.ts';

/** How many processes are looked at before others get their turn. */
const BATCH = 100;
const PREFIX = `${MARKER}=`;

/** The processes as /proc shows them. */
export function linuxProcesses(): ProcessTable {
  const boot = readProc('sys/kernel/random/boot_id').trim();
  return {
    async identify(pid) {
      const stat = parseStat(readProc(`${pid}/stat`), boot);
      return stat === undefined || stat.ended ? undefined : { pid, born: stat.born };
    },
    async list() {
      const entries: ProcessEntry[] = [];
      const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
      for (const [index, pid] of pids.entries()) {
        if (index > 0 && index % BATCH === 0) {
          await new Promise(resolve => setImmediate(resolve));
        }
        const stat = parseStat(readProc(`${pid}/stat`), boot);
        if (stat !== undefined) {
          entries.push({ pid: Number(pid), ...stat, mark: markIn(readProc(`${pid}/environ`)) });
        }
      }
      return entries;
    },
  };
}

/** An environment can be megabytes, and hostile processes many. */
const buffer = Buffer.alloc(256 * 1024);

/** Processes come and go, and those of others are closed: unreadable is empty. */
function readProc(name: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(`/proc/${name}`, 'r');
    let filled = 0;
    for (let got = -1; got !== 0 && filled < buffer.length; filled += got) {
      got = readSync(descriptor, buffer, filled, buffer.length - filled, null);
    }
    return buffer.toString('latin1', 0, filled);
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) {
      closeSync(descriptor);
    }
  }
}

/** The fields of /proc/<pid>/stat; the name in parentheses may itself hold spaces and parentheses. */
export function parseStat(text: string, boot: string): Omit<ProcessEntry, 'pid' | 'mark'> | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startTicks = fields[19];
  if (state === undefined || parent === undefined || startTicks === undefined) {
    return undefined;
  }
  return { parent: Number(parent), ended: state === 'Z' || state === 'X', born: `${boot}/${startTicks}` };
}

export function markIn(environ: string): string {
  return (
    environ
      .split('\0')
      .find(variable => variable.startsWith(PREFIX))
      ?.slice(PREFIX.length) ?? ''
  );
}
