import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { killNow, MARKER } from './processTable.ts';
import type { ProcessEntry, ProcessTable } from './processTable.ts';

const run = promisify(execFile);
const MARK = new RegExp(`(?:^|\\s)${MARKER}=(\\S+)`);

/** The processes as `ps` shows them with their environment: macOS and the BSDs. */
export function psProcesses(): ProcessTable {
  const ps = async (...selection: string[]): Promise<ProcessEntry[]> => {
    const options = ['-E', '-ww', '-o', 'pid=,ppid=,stat=,lstart=,command='];
    // ps fails when the process that is asked for is gone.
    const { stdout } = await run('/bin/ps', [...selection, ...options], {
      env: { LC_ALL: 'C' },
      maxBuffer: 64 << 20,
    }).catch(() => ({ stdout: '' }));
    return stdout.split('\n').flatMap(line => parseLine(line) ?? []);
  };
  return {
    async identify(pid) {
      const [entry] = await ps('-p', String(pid));
      return entry === undefined || entry.ended ? undefined : { pid, born: entry.born };
    },
    list: async () => ps('-ax'),
    async kill({ pid, born }) {
      const [entry] = await ps('-p', String(pid));
      if (entry?.born === born) {
        killNow(pid);
      }
    },
  };
}

/** One line of `ps -E -o pid=,ppid=,stat=,lstart=,command=`; lstart is five words. */
export function parseLine(line: string): ProcessEntry | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s*(.*)$/.exec(line);
  if (match === null) {
    return undefined;
  }
  const [, pid, parent, state = '', born = '', command = ''] = match;
  return {
    pid: Number(pid),
    parent: Number(parent),
    ended: state.startsWith('Z'),
    born,
    mark: MARK.exec(command)?.[1] ?? '',
  };
}
