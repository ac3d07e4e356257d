import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../scripts/setup/command.ts';

/** A program of a peer in a group of its own; what it printed is kept. */
export class PeerProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  output = '';

  constructor(argv: readonly [string, ...string[]], options: { cwd: string; env: Record<string, string> }) {
    const [program, ...rest] = argv;
    this.child = spawn(program, rest, { ...options, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.child.on('error', error => (this.output += error.message));
    this.child.stdin.on('error', () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-20_000)));
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Only this process: what becomes of the others is the question. */
  async kill(): Promise<void> {
    if (this.running) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await gone;
    }
  }

  /** The process and all that stayed in its group. */
  async end(): Promise<void> {
    const family = await descendants(this.pid);
    await this.kill();
    for (const pid of [-this.pid, ...family]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    }
  }

  /** Waits until a condition holds. @throws with what was printed when it does not, or the process ended */
  async until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
    await until(what, holds, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output.slice(-2000)}`);
    });
  }
}

export async function until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`Waited in vain: ${what}.`);
    }
    await sleep(20);
  }
}

export async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    response => response.ok,
    () => false,
  );
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

interface Listed {
  pid: number;
  parent: number;
  kb: number;
  command: string;
}

/** The agent itself, which every one of them runs. */
const AGENT = /--output-format/;

export async function descendants(root: number): Promise<number[]> {
  return below(await list(), root).map(({ pid }) => pid);
}

/** Memory of these processes and all that they started, without the agents. */
export async function familyKb(roots: readonly number[]): Promise<number> {
  const all = await list();
  const family = new Map(roots.flatMap(root => below(all, root)).map(one => [one.pid, one]));
  const agents = new Set(
    [...family.values()].filter(({ command }) => AGENT.test(command)).flatMap(({ pid }) => below(all, pid)),
  );
  return [...family.values()].filter(one => !agents.has(one)).reduce((sum, { kb }) => sum + kb, 0);
}

/** Processes below a root whose command matches. */
export async function findBelow(root: number, command: RegExp): Promise<number[]> {
  return below(await list(), root).flatMap(one => (command.test(one.command) ? [one.pid] : []));
}

async function list(): Promise<Listed[]> {
  const { output } = await run('ps', ['-eo', 'pid=,ppid=,rss=,args=']);
  return output.split('\n').flatMap(line => {
    const [, pid, parent, kb, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), kb: Number(kb), command }];
  });
}

function below(all: readonly Listed[], root: number): Listed[] {
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) {
    found.push(...all.filter(({ parent }) => parent === pid));
  }
  return found;
}

/** What Claude Code and its hosts get to see of this machine. */
export function peerEnv(home: string, modelUrl: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: 'sk-ant-bench',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    // Or it refuses to skip permissions when the user is root.
    IS_SANDBOX: '1',
    ...more,
  };
}
