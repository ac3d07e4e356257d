import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandpiperError } from '../protocol/errors.ts';
import { isRecord } from '../protocol/rpc.ts';
import { readRelayAddress } from './relayAddress.ts';
import type { RelayAddress } from './relayAddress.ts';

const PROBE_TIMEOUT_MS = 2_000;
const POLL_MS = 50;
/** How long the relay that won a race may take to answer after ours has given way. */
const OTHER_RELAY_MS = 3_000;
const LOG_TAIL_LINES = 20;

/**
 * The relay that runs on this data folder and answers. Undefined when there is none: no address, its process is gone, or
 * something else answers there.
 * @throws forbidden or invalid_request when the address file cannot be trusted
 */
export async function findRelay(dataFolder: string): Promise<RelayAddress | undefined> {
  const address = await readRelayAddress(dataFolder);
  if (!address || !isAlive(address.pid) || !(await answersAsRelay(address.url))) {
    return undefined;
  }
  const version = await probeVersion(address);
  return version === undefined ? undefined : { ...address, version };
}

export interface StartRelayOptions {
  dataFolder: string;
  /** Program and arguments; it must serve on this data folder. */
  command: readonly string[];
  /** The whole environment of the relay. */
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
}

/**
 * Finds the relay of a data folder or starts one that outlives this process. When several start one at the same time, the
 * relay's own lock lets one win, and all get that one.
 * @throws unavailable when it ends at once, timeout when it does not answer in time; both with the end of its log
 */
export async function startRelay(options: StartRelayOptions): Promise<RelayAddress> {
  const running = await findRelay(options.dataFolder);
  return running ?? spawnRelay(options);
}

export function relayLogFile(dataFolder: string): string {
  return join(dataFolder, 'relay.log');
}

async function spawnRelay({ dataFolder, command, env, timeoutMs }: StartRelayOptions): Promise<RelayAddress> {
  const [program = '', ...args] = command;
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const log = await open(relayLogFile(dataFolder), 'a', 0o600);
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env,
    windowsHide: true,
  });
  let ended: string | undefined;
  child.on('error', error => (ended = `it cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => (ended ??= `it ended with ${signal ?? `exit code ${code}`}`));
  child.unref();
  await log.close();

  let giveUpAt = Date.now() + timeoutMs;
  let sawEnd = false;
  for (;;) {
    const relay = await findRelay(dataFolder);
    if (relay) {
      return relay;
    }
    if (ended !== undefined && !sawEnd) {
      sawEnd = true;
      giveUpAt = Math.min(giveUpAt, Date.now() + OTHER_RELAY_MS);
    }
    if (Date.now() >= giveUpAt) {
      break;
    }
    await sleep(POLL_MS);
  }
  const tail = await logTail(dataFolder);
  if (ended !== undefined) {
    throw new SandpiperError('unavailable', `The relay did not start: ${ended}.${tail}`, {
      hint: `See ${relayLogFile(dataFolder)}.`,
    });
  }
  child.kill();
  await Promise.race([once(child, 'exit'), sleep(PROBE_TIMEOUT_MS)]);
  throw new SandpiperError('timeout', `The relay did not answer within ${timeoutMs / 1000} s of its start.${tail}`, {
    hint: `See ${relayLogFile(dataFolder)}.`,
  });
}

/** Asked first, and without the token: the port may by now be somebody else's. */
async function answersAsRelay(url: string): Promise<boolean> {
  const answer = await getJson(`${url}/livez`, {});
  return isRecord(answer) && answer['service'] === 'sandpiper';
}

async function probeVersion({ url, token }: RelayAddress): Promise<string | undefined> {
  const info = await getJson(`${url}/v1/relay`, { authorization: `Bearer ${token}` });
  return isRecord(info) && typeof info['version'] === 'string' ? info['version'] : undefined;
}

/** Undefined for whatever is no success. */
async function getJson(url: string, headers: Record<string, string>): Promise<unknown> {
  try {
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    if (response.ok) {
      return await response.json();
    }
    await response.body?.cancel();
    return undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return isRecord(thrown) && thrown['code'] === 'EPERM';
  }
}

async function logTail(dataFolder: string): Promise<string> {
  const text = await readFile(relayLogFile(dataFolder), 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  return lines === '' ? '' : ` The end of its log:\n${lines}`;
}
