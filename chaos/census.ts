import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesIn } from './processes.ts';

/** Processes that are just ending get this long. */
const GRACE_MS = 10_000;

/** What is left of a run whose relay has ended and whose sessions are archived: every line names one thing. */
export async function leftovers(scratch: string, dataFolder: string, temporary: string): Promise<string[]> {
  const deadline = Date.now() + GRACE_MS;
  let processes = await processesIn(scratch);
  while (processes.length > 0 && Date.now() < deadline) {
    await sleep(100);
    processes = await processesIn(scratch);
  }
  const sockets = (await readFile('/proc/net/unix', 'utf8').catch(() => ''))
    .split('\n')
    .filter(line => line.includes(scratch));
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`),
    ...sockets.map(line => `socket ${line.trim().split(/\s+/).at(-1)}`),
    ...(await socketFiles(join(dataFolder, 'run'))).map(path => `socket file ${path}`),
    ...(await entries(temporary)).map(name => `temporary ${join(temporary, name)}`),
    ...(await entries(join(dataFolder, 'sandboxes')))
      .filter(name => name.startsWith('.'))
      .map(name => `unfinished sandbox ${name}`),
  ];
}

async function socketFiles(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return found.filter(entry => entry.isSocket() || entry.isFIFO()).map(entry => join(entry.parentPath, entry.name));
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
