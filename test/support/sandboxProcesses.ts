import { readdir, readFile } from 'node:fs/promises';
import type { Workshop } from './workshop.ts';

export interface SandboxProcess {
  pid: number;
  command: string;
}

/** Every process on this machine that belongs to the sandboxes of a session, inside them and around them. Linux only. */
export async function sandboxProcesses(shop: Workshop, sessionId: string): Promise<SandboxProcess[]> {
  const ids = (await shop.events(sessionId)).flatMap(({ body }) =>
    body.type === 'sandboxReady' ? [body.sandboxId] : [],
  );
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(readProcess));
  const found = new Set<number>();
  const marked = (environment: string) => ids.some(id => environment.includes(`SANDPIPER_SANDBOX=${id}/`));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { pid, parent, state, environment } of entries) {
      if (state !== 'Z' && (found.has(parent) || marked(environment))) {
        found.add(pid);
      }
    }
  }
  return entries.filter(({ pid }) => found.has(pid)).map(({ pid, command }) => ({ pid, command }));
}

/** Those that are the agent program itself. */
export async function agentsOf(shop: Workshop, sessionId: string): Promise<number[]> {
  const processes = await sandboxProcesses(shop, sessionId);
  return processes
    .filter(({ command }) => / --(session-id|resume)=/.test(command) && !/^(\S*\/)?(sh|bwrap) /.test(command))
    .map(({ pid }) => pid);
}

async function readProcess(
  pid: number,
): Promise<{ pid: number; parent: number; state: string; command: string; environment: string }> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [stat, command, environment] = await Promise.all([read('stat'), read('cmdline'), read('environ')]);
  const [state = 'Z', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(parent), state, command: command.replaceAll('\0', ' '), environment };
}

/** Process ids of whatever on this machine has this text in its arguments. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(pids.map(readProcess));
  return commands.filter(({ command, state }) => state !== 'Z' && command.includes(text)).map(({ pid }) => pid);
}
