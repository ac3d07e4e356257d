import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import { createStyle, plain, renderEvent } from '../../server/src/cli/render.ts';
import type { StepInput } from '../../test/support/modelScript.ts';
import { startScriptedModel } from '../../test/support/scriptedModel.ts';

/* What every demo stands on: its folder, a relay, words on the terminal, and the order in which all of it ends. */

const ROOT = join(import.meta.dirname, '../..');
/** Stays in the relay. */
const DEMO_KEY = 'sk-ant-demo-key-that-stays-in-the-relay';
const CLAUDE = join(ROOT, 'node_modules/.bin/claude');
export const style = createStyle(process.stdout.isTTY);

const cleanups: (() => Promise<unknown> | void)[] = [];

/** Done at the end, the last one first, also after a failure. */
export function defer(cleanup: () => Promise<unknown> | void): void {
  cleanups.push(cleanup);
}

export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await Promise.resolve(cleanup()).catch((error: unknown) => console.error(`demo: clean-up: ${String(error)}`));
  }
}

export function say(text: string): void {
  console.log(`${style.dim('demo:')} ${text}`);
}

export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-demo-'));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}

/** What a relay must know of the model: the real one where there is a key, else one that does what `script` says. */
export async function modelEnv(
  realKey: string | undefined,
  script: readonly StepInput[],
): Promise<Record<string, string>> {
  if (realKey !== undefined) {
    return { ANTHROPIC_API_KEY: realKey, SANDPIPER_CLAUDE: CLAUDE };
  }
  const model = await startScriptedModel({ apiKey: DEMO_KEY, fallback: script });
  defer(() => model.close());
  return { ANTHROPIC_API_KEY: DEMO_KEY, ANTHROPIC_BASE_URL: model.url, SANDPIPER_CLAUDE: CLAUDE };
}

/** Starts a relay of its own, as `npm start` does. */
export async function startRelay(folder: string, env: Record<string, string>): Promise<RelayClient> {
  const dataFolder = join(folder, 'data');
  const relay = spawn(process.execPath, [join(ROOT, 'server/src/main.ts'), 'serve'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, SANDPIPER_DATA: dataFolder, SANDPIPER_LOG: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C goes to the whole group of a terminal; the relay is still needed then, to end the agent.
    detached: process.platform !== 'win32',
  });
  const ended = new Promise<void>(resolve => relay.once('exit', () => resolve()));
  defer(async () => {
    relay.kill('SIGTERM');
    await ended;
  });
  await Promise.race([new Promise(resolve => relay.stdout.once('data', resolve)), ended]);
  const client = createRelayClient({
    client: { name: 'demo', version: '0' },
    connect: async () => {
      const address = await findRelay(dataFolder);
      if (!address) {
        throw new Error('The relay did not start.');
      }
      return createWsSocket(address.url, address.token);
    },
  });
  client.connect();
  defer(() => client.dispose());
  return client;
}

export function printEvents(events: readonly SessionEvent[]): void {
  for (const event of events) {
    const text = renderEvent(event.body, style);
    if (text) {
      console.log(text);
    }
  }
}

export function colouredDiff(diff: string): string {
  return plain(diff)
    .split('\n')
    .map(line => (line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : line))
    .join('\n');
}

/** @returns its exit code and what it printed */
export function runProgram(program: string, args: string[], cwd?: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', code => resolve({ code: code ?? 1, output }));
  });
}
