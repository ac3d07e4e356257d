import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLAUDE, MAIN, testMark } from './relayProcess.ts';
import { endRelaysOf } from './relaysOf.ts';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The `sandpiper` command as people run it, on one data folder; its relay is the command's own and must be stopped. */
export class Cli {
  readonly dataFolder: string;
  readonly #env: Record<string, string>;
  readonly #running = new Set<ChildProcess>();

  constructor(dataFolder: string, env: Record<string, string> = {}) {
    this.dataFolder = dataFolder;
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      HOME: dataFolder,
      SANDPIPER_DATA: dataFolder,
      SANDPIPER_CLAUDE: CLAUDE,
      ...testMark(),
      ...env,
    };
  }

  /** Starts a command; `wrap` puts another program in front of it. */
  start(
    args: readonly string[],
    { env = {}, cwd, wrap = command => command }: RunOptions = {},
  ): ChildProcess & { result: Promise<CliResult> } {
    const [program = '', ...rest] = wrap([process.execPath, MAIN, ...args]);
    const child = spawn(program, rest, { env: { ...this.#env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    const result: CliResult = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (result.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (result.stderr += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => ({ ...result, code: typeof code === 'number' ? code : null }));
    return Object.assign(child, { result: ended });
  }

  /** Runs a command to its end, with nothing on its stdin. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
    const child = this.start(args, options);
    child.stdin?.end();
    return child.result;
  }

  /** The process of the relay that the commands have started, if there is one. */
  async relayPid(): Promise<number | undefined> {
    const text = await readFile(join(this.dataFolder, 'relay.json'), 'utf8').catch(() => '');
    const pid = /"pid": ?(\d+)/.exec(text)?.[1];
    return pid === undefined ? undefined : Number(pid);
  }

  /** Ends the commands that still run, and then every relay that they have started. */
  async dispose(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async child => {
        const closed = once(child, 'close');
        child.kill('SIGKILL');
        await closed;
      }),
    );
    await endRelaysOf(this.dataFolder);
  }
}

interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  wrap?: (command: string[]) => string[];
}
