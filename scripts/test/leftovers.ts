import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What a test run has left at this moment, as the system shows it. Synchronous: a reporter looks between two suites.
 */

/** Names the run in the environment of everything it starts; a part of a run adds `-` and its own name. */
export const RUN_VARIABLE = 'SANDPIPER_TEST_RUN';

export interface Leftover {
  /** The same thing later, and no other: a process by its start, a file by its path. */
  id: string;
  kind: 'process' | 'folder' | 'FIFO' | 'socket';
  what: string;
  /** Of a process. */
  pid?: number;
  /** Of a process: its namespace of process ids, when it is not ours. */
  pidNamespace?: string;
}

/** A folder of a run that holds more is looked at only so far. */
const MAX_ENTRIES = 20_000;

/**
 * The processes of a run, on Linux. A process belongs to it when its environment names the run, when its command line or
 * working folder lies in the run's folder, or when it is in a sandbox into which that folder is mounted: there the
 * environment is cleared and the paths are others.
 */
export function findProcesses(runId: string, folder: string): Leftover[] {
  const mark = `${RUN_VARIABLE}=${runId}`;
  const ours = { mounts: linkOf('self', 'ns/mnt'), pids: linkOf('self', 'ns/pid') };
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) {
      return [];
    }
    const status = textOf(name, 'stat');
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const command = textOf(name, 'cmdline');
    const isOurs =
      textOf(name, 'environ')
        .split('\0')
        .some(entry => entry === mark || entry.startsWith(`${mark}-`)) ||
      command.includes(folder) ||
      `${linkOf(name, 'cwd')}/`.startsWith(`${folder}/`) ||
      // Our own mounts would make everything ours.
      (linkOf(name, 'ns/mnt') !== ours.mounts && textOf(name, 'mountinfo').includes(`${folder}/`));
    if (!isOurs || fields[0] === 'Z') {
      return [];
    }
    const pidNamespace = linkOf(name, 'ns/pid');
    return [
      {
        id: `${pid} ${fields[19] ?? ''}`,
        kind: 'process',
        pid,
        what: command.replaceAll('\0', ' ').trim().slice(0, 200) || status.slice(0, 40),
        ...(pidNamespace === '' || pidNamespace === ours.pids ? {} : { pidNamespace }),
      } as const,
    ];
  });
}

/** Our temporary folders in the run's folder, and every FIFO and socket anywhere in it. */
export function findFiles(folder: string): Leftover[] {
  const found: Leftover[] = [];
  const waiting = [''];
  for (let looked = 0; waiting.length > 0 && looked < MAX_ENTRIES; looked++) {
    const path = waiting.pop() ?? '';
    const entries = attempt(() => readdirSync(join(folder, path), { withFileTypes: true })) ?? [];
    for (const entry of entries) {
      const inner = join(path, entry.name);
      if (path === '' && entry.name.startsWith('sandpiper-')) {
        found.push({ id: inner, kind: 'folder', what: inner });
      }
      if (entry.isDirectory()) {
        waiting.push(inner);
      } else if (entry.isFIFO() || entry.isSocket()) {
        found.push({ id: inner, kind: entry.isFIFO() ? 'FIFO' : 'socket', what: inner });
      }
    }
  }
  // What lies in a folder that is named already goes with it.
  const folders = found.filter(({ kind }) => kind === 'folder');
  return found.filter(
    ({ kind, id }) =>
      kind === 'folder' || !folders.some(outer => id.startsWith(`${outer.id}/`)) || isOpenSocket(folder, id),
  );
}

/** Whether somebody listens on it: a dead socket is only a file. */
function isOpenSocket(folder: string, path: string): boolean {
  return (attempt(() => readFileSync('/proc/net/unix', 'utf8')) ?? '').includes(join(folder, path));
}

function textOf(pid: string, file: string): string {
  // A process may end or belong to someone else while it is looked at: then it is none of the run's.
  return attempt(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';
}

function linkOf(pid: string, file: string): string {
  return attempt(() => readlinkSync(`/proc/${pid}/${file}`)) ?? '';
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
