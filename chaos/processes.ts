import { readdir, readFile, readlink } from 'node:fs/promises';

/** Begins the name of every scratch folder; what follows is random. */
export const SCRATCH_PREFIX = 'sandpiper-chaos-';

/** One process of this machine, as far as it may be looked at. */
export interface ProcessSeen {
  pid: number;
  command: string;
  /** Its id in its own pid namespace. */
  innerPid: number;
}

/** Whether `processesIn` can see anything on this system. */
export const canSeeProcesses = process.platform === 'linux';

/**
 * The living processes that have to do with a folder: it stands in their command line, environment or working folder, or is
 * mounted where they run (that is how the processes inside a sandbox are found, whose own environment names nothing).
 * Linux only; elsewhere empty.
 * @param folder a path that no other folder's path contains
 */
export async function processesIn(folder: string): Promise<ProcessSeen[]> {
  if (!canSeeProcesses) {
    return [];
  }
  const ownMounts = await readlink('/proc/self/ns/mnt').catch(() => '');
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(pid => look(pid, folder, ownMounts)));
  return found.filter(seen => seen !== undefined);
}

async function look(pid: number, folder: string, ownMounts: string): Promise<ProcessSeen | undefined> {
  if (pid === process.pid) {
    return undefined;
  }
  // A process may end, or belong to somebody else, while it is looked at: then it is none of ours.
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [command, environment, status, workFolder, mountNamespace] = await Promise.all([
    read('cmdline'),
    read('environ'),
    read('status'),
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    readlink(`/proc/${pid}/ns/mnt`).catch(() => ''),
  ]);
  if (status === '' || /^State:\s+[ZX]/m.test(status)) {
    return undefined;
  }
  const isNamed = command.includes(folder) || environment.includes(folder) || `${workFolder}/`.includes(`${folder}/`);
  const isInside = async (): Promise<boolean> =>
    mountNamespace !== '' && mountNamespace !== ownMounts && isMounted(await read('mountinfo'), folder);
  if (!isNamed && !(await isInside())) {
    return undefined;
  }
  return {
    pid,
    command: command.replaceAll('\0', ' ').trim(),
    innerPid: Number(/^NSpid:.*?(\d+)\s*$/m.exec(status)?.[1] ?? pid),
  };
}

/** A mount's root is told from the root of its file system, so a path can lack its beginning there; its unique part stands. */
function isMounted(mounts: string, folder: string): boolean {
  const unique = folder.slice(Math.max(0, folder.lastIndexOf(SCRATCH_PREFIX)));
  return mounts.includes(`${unique}/`) || mounts.includes(`${unique} `);
}

/** Sends a signal to a process that may be gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
