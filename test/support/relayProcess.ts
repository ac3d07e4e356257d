import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import { findRelay } from '../../client/localRelay.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { isRecord } from '../../protocol/isRecord.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const MAIN = join(ROOT, 'server/src/main.ts');
export const CLAUDE = join(ROOT, 'node_modules/.bin/claude');

export interface RelayProcessOptions {
  dataFolder: string;
  /** Besides PATH, HOME and the data folder. */
  env: Record<string, string>;
  /** What Node runs, options first, in place of the relay's source. */
  command?: readonly string[];
}

/** A real relay in a process of its own, and a client of it that finds it again after a restart. */
export class RelayProcess {
  readonly #options: RelayProcessOptions;
  #child: ChildProcess | undefined;
  #log = '';
  url = '';

  constructor(options: RelayProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it wrote to stderr since it was made. */
  get log(): string {
    return this.#log;
  }

  /** The exit code of the process that was started last, once it has ended by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      await once(child, 'exit');
    }
    return child?.exitCode ?? null;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { dataFolder, env, command = [MAIN] } = this.#options;
    const child = spawn(process.execPath, [...command, 'serve'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: dataFolder,
        SANDPIPER_DATA: dataFolder,
        SANDPIPER_SPARE_SANDBOXES: '0',
        ...testMark(),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    const address = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line').then(([line]) => JSON.parse(String(line)) as unknown),
      once(child, 'exit').then(() => undefined),
    ]);
    if (!isRecord(address) || typeof address['url'] !== 'string') {
      throw new Error(`The relay did not start:\n${this.#log}`);
    }
    this.url = address['url'];
  }

  client(name = 'test'): RelayClient {
    return createRelayClient({
      client: { name, version: '0' },
      backoff: { firstMs: 20, maxMs: 200 },
      checkMessages: true,
      connect: async () => {
        const found = await findRelay(this.#options.dataFolder);
        if (!found) {
          throw new Error('There is no relay.');
        }
        return createWsSocket(found.url, found.token);
      },
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
  }
}

/** Lets the census after the suite find what a test left behind. */
export function testMark(): Record<string, string> {
  const run = process.env['SANDPIPER_TEST_RUN'];
  return run === undefined ? {} : { SANDPIPER_TEST_RUN: run };
}

/** A folder for one test, and its removal. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'sandpiper-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}
