import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrorCode, SandpiperError, toError } from '../protocol/errors.ts';
import { isOlder } from '../protocol/releases.ts';
import { isRecord } from '../protocol/isRecord.ts';
import { readRelayAddress } from './relayAddress.ts';
import type { RelayAddress } from './relayAddress.ts';
import { t } from '../protocol/text.ts';

/**
 * Options of Node for a process that becomes a relay. With the small space that V8 starts with for new objects it stops
 * several times a second to tidy it, and everybody's text waits; it can be made larger only from here.
 */
export const RELAY_NODE_OPTIONS: readonly string[] = ['--min-semi-space-size=8'];

const PROBE_TIMEOUT_MS = 2_000;
const POLL_MS = 50;
/** How long the relay that won a race may take to answer after ours has given way. */
const OTHER_RELAY_MS = 3_000;
/** A relay that hands over lets calls that are under way finish. */
const HAND_OVER_MS = 20_000;
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
  const headers = authorization(address);
  const named = await getJson(`${address.url}/livez`, headers);
  // An older relay names itself only where it also says how it is, which takes it a while.
  const info = isRecord(named) && 'pid' in named ? named : await getJson(`${address.url}/v1/relay`, headers);
  // The number of a dead relay's process may be somebody else's, and its port another relay's.
  return isRecord(info) && typeof info['version'] === 'string' && info['pid'] === address.pid
    ? { ...address, version: info['version'] }
    : undefined;
}

export interface StartRelayOptions {
  dataFolder: string;
  /** Program and arguments; it must serve on this data folder. */
  command: readonly string[];
  /** The whole environment of the relay. */
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  /** Of the relay that the command starts: an older one that runs gives way to it. */
  version?: string;
}

/**
 * Finds the relay of a data folder or starts one that outlives this process. When several start one at the same time, the
 * relay's own lock lets one win, and all get that one.
 * @throws unavailable when it ends at once, timeout when it does not answer in time; both with the end of its log
 */
export async function startRelay(options: StartRelayOptions): Promise<RelayAddress> {
  const running = await findRelay(options.dataFolder);
  if (!running) {
    return spawnRelay(options);
  }
  if (options.version === undefined || !isOlder(running.version, options.version)) {
    return running;
  }
  try {
    await askToHandOver(running, options.version);
  } catch (thrown) {
    // The two work together where they can.
    const still = await findRelay(options.dataFolder);
    if (still) {
      return still;
    }
    throw thrown;
  }
  return spawnRelay(options);
}

/**
 * Asks a relay to end in favour of one of this version, and waits until its process is gone. Its agents work on.
 * @throws `version_mismatch` when it is newer, `unavailable` when it cannot, `timeout` when it does not end
 */
export async function askToHandOver(relay: RelayAddress, version: string): Promise<void> {
  const failure = await postHandOver(relay, version);
  if (failure && isAlive(relay.pid)) {
    throw failure;
  }
  const giveUpAt = Date.now() + HAND_OVER_MS;
  while (isAlive(relay.pid)) {
    if (Date.now() >= giveUpAt) {
      throw new SandpiperError('timeout', t('The relay (process {0}) does not hand over.', relay.pid), {
        hint: t('End that process, then try again; its agents work on.'),
      });
    }
    await sleep(POLL_MS);
  }
}

async function postHandOver(relay: RelayAddress, version: string): Promise<SandpiperError | undefined> {
  try {
    const response = await fetch(`${relay.url}/v1/relay/hand-over`, {
      method: 'POST',
      headers: { ...authorization(relay), 'content-type': 'application/json' },
      body: JSON.stringify({ version }),
      redirect: 'error',
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const answer: unknown = await response.json();
    if (response.ok) {
      return undefined;
    }
    const { code, detail, hint }: Record<string, unknown> = isRecord(answer) ? answer : {};
    return new SandpiperError(
      isErrorCode(code) ? code : 'unavailable',
      typeof detail === 'string' ? detail : t('The relay (version {0}) cannot hand over.', relay.version),
      { hint: typeof hint === 'string' ? hint : t('Stop process {0}, then try again.', relay.pid) },
    );
  } catch (thrown) {
    return new SandpiperError('unavailable', t('The relay did not answer: {0}.', toError(thrown).message), {
      hint: t('Try again in a moment.'),
      cause: thrown,
    });
  }
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
  child.on('error', error => (ended = t('it cannot be started: {0}', error.message)));
  child.on('exit', (code, signal) => (ended ??= t('it ended with {0}', signal ?? t('exit code {0}', code ?? ''))));
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
    throw new SandpiperError('unavailable', `${t('The relay did not start: {0}.', ended)}${tail}`, {
      hint: t('See {0}.', relayLogFile(dataFolder)),
    });
  }
  child.kill();
  await Promise.race([once(child, 'exit'), sleep(PROBE_TIMEOUT_MS)]);
  throw new SandpiperError(
    'timeout',
    `${t('The relay did not answer within {0} s of its start.', timeoutMs / 1000)}${tail}`,
    {
      hint: t('See {0}.', relayLogFile(dataFolder)),
    },
  );
}

/** Asked first, and without the token: the port may by now be somebody else's. */
async function answersAsRelay(url: string): Promise<boolean> {
  const answer = await getJson(`${url}/livez`, {});
  return isRecord(answer) && answer['service'] === 'sandpiper';
}

function authorization({ token }: RelayAddress): Record<string, string> {
  return { authorization: `Bearer ${token}` };
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
  return lines === '' ? '' : ` ${t('The end of its log:')}\n${lines}`;
}
