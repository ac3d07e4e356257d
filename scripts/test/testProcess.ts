import { spawn, type ChildProcess } from 'node:child_process';
import { repositoryFolder } from '../setup/need.ts';

/** How a process that ran tests ended. */
export type Ended = { kind: 'well' } | { kind: 'badly'; how: string } | { kind: 'timedOut' };

interface TestProcess {
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  /** `held` prints what it says when it has ended, so that processes that run at once do not mix their lines. */
  output: 'live' | 'held';
}

/** What a test left running may hold the output open for ever. */
const LAST_WORDS_MS = 1000;

const living = new Set<ChildProcess>();

/** Runs one to its end, in a process group of its own, so that one that hangs can be ended with all it started. */
export async function runTestProcess({ args, env, timeoutMs, output }: TestProcess): Promise<Ended> {
  const stream = output === 'live' ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, args, {
    cwd: repositoryFolder,
    env,
    stdio: ['ignore', stream, stream],
    detached: process.platform !== 'win32',
  });
  if (living.size === 0) {
    process.on('SIGINT', endAll).on('SIGTERM', endAll);
  }
  living.add(child);
  const said: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, timeoutMs);
  const how = await new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  clearTimeout(timer);
  living.delete(child);
  if (living.size === 0) {
    process.off('SIGINT', endAll).off('SIGTERM', endAll);
  }
  if (output === 'held') {
    await Promise.race([closed, new Promise(resolve => setTimeout(resolve, LAST_WORDS_MS))]);
  }
  process.stdout.write(Buffer.concat(said));
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (timedOut) {
    return { kind: 'timedOut' };
  }
  return how === undefined ? { kind: 'well' } : { kind: 'badly', how };
}

function endAll(): void {
  for (const child of living) {
    endGroup(child);
  }
  process.exit(130);
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
