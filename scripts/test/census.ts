import { appendFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../setup/command.ts';
import { findFiles, findProcesses, RUN_VARIABLE, type Leftover } from './leftovers.ts';
import { parseLines } from './results.ts';

/*
 * The promise "No orphan process" for the test suite itself: after a layer, no process of the run may live, no namespace,
 * FIFO or socket of it be there, and none of our temporary folders be left. Which suite is to blame is known from the
 * looks that the reporter takes after each: the first after which the thing was there.
 */

/** Processes that are just ending when their layer ends get this long. */
const GRACE_MS = 5_000;

/** One look: what was there when a suite had ended. */
const lookSchema = z.object({ suite: z.string(), ids: z.array(z.string()) });

/** Takes a look after a suite; for a file that `takeCensus` reads. Only Linux shows what is needed. */
export function noteLeftovers(file: string, suite: string, of: { id: string; folder: string }): void {
  if (process.platform === 'linux') {
    const ids = [...findProcesses(of.id, of.folder), ...findFiles(of.folder)].map(({ id }) => id);
    appendFileSync(file, `${JSON.stringify({ suite, ids })}\n`);
  }
}

export interface Found {
  /** Set for a process. */
  pid?: number;
  what: string;
}

/**
 * Finds what a layer left and removes it, so that the next layer is not blamed for it.
 * @param looksFile what `noteLeftovers` wrote
 */
export async function takeCensus(
  runId: string,
  folder: string,
  graceMs = GRACE_MS,
  looksFile?: string,
): Promise<Found[]> {
  const deadline = Date.now() + graceMs;
  let processes = await processesOf(runId, folder);
  while (processes.length > 0 && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 100));
    processes = await processesOf(runId, folder);
  }
  for (const { pid } of processes) {
    end(pid);
  }
  const files = findFiles(folder);
  await empty(folder);
  const looks =
    looksFile === undefined ? [] : parseLines(await readFile(looksFile, 'utf8').catch(() => ''), lookSchema);
  const namespaces = [...new Set(processes.flatMap(({ pidNamespace }) => pidNamespace ?? []))];
  return [
    ...processes.map(leftover => ({
      ...(leftover.pid === undefined ? {} : { pid: leftover.pid }),
      what: `${leftover.what}${blame(leftover, looks)}`,
    })),
    ...namespaces.map(name => ({ what: `namespace of processes ${name}` })),
    ...files.map(leftover => ({ what: `${leftover.kind} ${leftover.what}${blame(leftover, looks)}` })),
  ];
}

/** The first suite after which it was there. */
function blame({ id }: Leftover, looks: readonly z.infer<typeof lookSchema>[]): string {
  const suite = looks.find(({ ids }) => ids.includes(id))?.suite;
  return suite === undefined ? '' : ` (since the suite "${suite}")`;
}

async function processesOf(runId: string, folder: string): Promise<Leftover[]> {
  switch (process.platform) {
    case 'linux':
      return findProcesses(runId, folder);
    case 'darwin': {
      const mark = `${RUN_VARIABLE}=${runId}`;
      const { output } = await run('ps', ['-axwwE', '-o', 'pid=,command=']);
      return output
        .split('\n')
        .filter(line => line.includes(mark) || line.includes(folder))
        .map(line => ({ line, pid: Number.parseInt(line, 10) }))
        .filter(({ pid }) => pid > 0 && pid !== process.pid)
        .map(({ line, pid }) => ({ id: String(pid), kind: 'process', pid, what: line.trim().slice(0, 200) }));
    }
    default:
      // No tool that comes with the system shows another process's environment.
      return [];
  }
}

/** Everything in the run's folder goes; only what carries our prefix is a fault of ours. */
async function empty(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    await rm(join(folder, entry), { recursive: true, force: true });
  }
}

function end(pid: number | undefined): void {
  try {
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
    }
  } catch {
    // It ended by itself meanwhile.
  }
}
