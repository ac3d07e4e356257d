import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../setup/command.ts';

/*
 * The promise "No orphan process" for the test suite itself: after a layer, no process of the run may live and none of our
 * temporary folders may be left. A process belongs to the run when its environment names the run, or when its command
 * line or working folder lies in the run's folder (a sandbox is started with a cleared environment).
 */

/** Names the run in the environment of everything it starts. */
export const RUN_VARIABLE = 'SANDPIPER_TEST_RUN';

/** Processes that are just ending when their layer ends get this long. */
const GRACE_MS = 5_000;

export interface Leftover {
  /** Set for a process. */
  pid?: number;
  what: string;
}

/** Finds what a layer left and removes it, so that the next layer is not blamed for it. */
export async function takeCensus(runId: string, folder: string, graceMs = GRACE_MS): Promise<Leftover[]> {
  const deadline = Date.now() + graceMs;
  let processes = await findProcesses(runId, folder);
  while (processes.length > 0 && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 100));
    processes = await findProcesses(runId, folder);
  }
  for (const { pid } of processes) {
    end(pid);
  }
  return [...processes, ...(await takeFolders(folder))];
}

async function findProcesses(runId: string, folder: string): Promise<(Leftover & { pid: number })[]> {
  const mark = `${RUN_VARIABLE}=${runId}`;
  switch (process.platform) {
    case 'linux':
      return findInProc(mark, folder);
    case 'darwin': {
      const { output } = await run('ps', ['-axwwE', '-o', 'pid=,command=']);
      return output
        .split('\n')
        .filter(line => line.includes(mark) || line.includes(folder))
        .map(line => ({ pid: Number.parseInt(line, 10), what: line.trim().slice(0, 200) }))
        .filter(({ pid }) => pid > 0 && pid !== process.pid);
    }
    default:
      // No tool that comes with the system shows another process's environment.
      return [];
  }
}

async function findInProc(mark: string, folder: string): Promise<(Leftover & { pid: number })[]> {
  const found = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) {
      continue;
    }
    // A process may end or belong to someone else while it is looked at: then it is none of the run's.
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [environment, command, workFolder, status] = await Promise.all([
      read('environ'),
      read('cmdline'),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      read('stat'),
    ]);
    const isZombie = / Z /.test(status.slice(status.lastIndexOf(')')));
    const isOurs =
      environment.split('\0').includes(mark) || command.includes(folder) || `${workFolder}/`.startsWith(`${folder}/`);
    if (isOurs && !isZombie) {
      found.push({ pid, what: command.replaceAll('\0', ' ').trim().slice(0, 200) });
    }
  }
  return found;
}

/** Everything in the run's folder goes; only what carries our prefix is a fault of ours. */
async function takeFolders(folder: string): Promise<Leftover[]> {
  const entries = await readdir(folder).catch(() => []);
  for (const entry of entries) {
    await rm(join(folder, entry), { recursive: true, force: true });
  }
  return entries.filter(entry => entry.startsWith('sandpiper-')).map(entry => ({ what: `folder ${entry}` }));
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
