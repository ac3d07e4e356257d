import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { killNow, MARKER } from './processTable.ts';
import type { Vitals } from '../provider.ts';
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
    async kill({ pid, born }) {
      if (parseStat(readProc(`${pid}/stat`), boot)?.born === born) {
        killNow(pid);
      }
    },
    async text(pid) {
      return Buffer.from(`${readProc(`${pid}/cmdline`)}\0${readProc(`${pid}/environ`)}`, 'latin1');
    },
    async vitals({ pid, born }) {
      return parseStat(readProc(`${pid}/stat`), boot)?.born === born ? vitalsOf(pid) : undefined;
    },
  };
}

/** Of the clock ticks in /proc, which the kernel gives to programs as hundredths of a second on every Linux. */
const TICK_MS = 10;
/** A sandbox full of processes is at work in any case. */
const MAX_TREE = 500;

function vitalsOf(root: number): Vitals {
  const vitals = { cpuMs: 0, held: false };
  const waiting = [root];
  for (let looked = 0; looked < MAX_TREE; looked++) {
    const pid = waiting.pop();
    if (pid === undefined) {
      break;
    }
    const usage = parseUsage(readProc(`${pid}/stat`));
    vitals.cpuMs += (usage?.ticks ?? 0) * TICK_MS;
    vitals.held ||= usage?.held ?? false;
    // Children belong to the thread that started them; a kernel without this file shows the root alone.
    for (const thread of threadsOf(pid)) {
      waiting.push(...readProc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number));
    }
  }
  return vitals;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Processor time with that of children that have ended, and whether the process is held, from /proc/<pid>/stat. */
export function parseUsage(text: string): { ticks: number; held: boolean } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const times = fields.slice(11, 15).map(Number);
  return times.length === 4 && times.every(Number.isFinite)
    ? { ticks: times.reduce((sum, time) => sum + time, 0), held: fields[0] === 'T' }
    : undefined;
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
