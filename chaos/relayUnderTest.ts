import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '../protocol/isRecord.ts';

export interface RelayUnderTestOptions {
  /** Program and arguments, `serve` left out. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** What it writes to stderr goes to the end of this file. */
  logFile: string;
}

/** How long a start may take on a busy machine. Longer means that it hangs. */
const START_TIMEOUT_MS = 60_000;

/** The relay as a process that can be killed, held and started again on the same data folder. */
export class RelayUnderTest {
  readonly #options: RelayUnderTestOptions;
  #child: ChildProcess | undefined;
  #url = '';

  constructor(options: RelayUnderTestOptions) {
    this.#options = options;
  }

  /** Where it listened last; another place after each start. */
  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Resolves when it listens.
   * @param liveMs kill it again so long after its start, wherever it then is; it is then not waited for
   * @throws when it ends by itself or does not listen in time
   */
  async start(liveMs?: number): Promise<void> {
    const { command, env, logFile } = this.#options;
    const [program = '', ...args] = command;
    const child = spawn(program, [...args, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => void appendFile(logFile, chunk).catch(() => {}));
    const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text));
    const exit = once(child, 'exit').then(([code, signal]) => `it ended with ${signal ?? `exit code ${String(code)}`}`);
    if (liveMs !== undefined) {
      line.catch(() => {});
      await sleep(liveMs);
      await this.end('SIGKILL');
      return;
    }
    const timeout = sleep(START_TIMEOUT_MS, 'it does not listen', { ref: false });
    const first = await Promise.race([line.then(text => ({ text })), exit, timeout]);
    if (typeof first === 'string') {
      throw new Error(`The relay did not start: ${first}. Its log is ${logFile}.`);
    }
    const address: unknown = JSON.parse(first.text);
    if (!isRecord(address) || typeof address['url'] !== 'string' || address['alreadyRunning'] === true) {
      throw new Error(`The relay did not start: it said ${first.text}. Its log is ${logFile}.`);
    }
    this.#url = address['url'];
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves when it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
  }
}
