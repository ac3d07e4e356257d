import { setTimeout as sleep } from 'node:timers/promises';
import { askToHandOver, findRelay } from '../../client/localRelay.ts';
import type { RelayAddress } from '../../client/relayAddress.ts';
import { errorText, SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { isOlder } from '../../protocol/releases.ts';
import { EXIT } from './cli/exitCodes.ts';
import { keepCompiled } from './core/compileCache.ts';
import { VERSION, type Config } from './core/config.ts';
import { createLogger, type Logger } from './core/log.ts';
import { startRelay, type Relay } from './relay.ts';

/** How long a closed relay may still be a process. */
const LINGER_MS = 2_000;

/** How long the relay that holds the lock may take until it answers. */
const OTHER_RELAY_MS = 10_000;
const OTHER_RELAY_POLL_MS = 100;
/** How long letting go may take when another relay waits; it finds everything as after a kill. */
const HAND_OVER_CLOSE_MS = 5_000;

/**
 * The relay as a process: until SIGTERM or SIGINT, until nobody needed it for long, or until another one asks for its place.
 * A second one for the same folder names the first and ends; an older one it asks for its place.
 * @param replace ask also one of the same version
 * @returns the exit code
 */
export async function serve(config: Config, { replace }: { replace: boolean }): Promise<number> {
  const log = createLogger(config.logLevel, line => process.stderr.write(line));
  const { relay, first } = await startOrFind(config, log, replace);
  if (!relay) {
    process.stdout.write(
      `${JSON.stringify({ url: first.url, pid: first.pid, version: first.version, alreadyRunning: true })}\n`,
    );
    return EXIT.ok;
  }
  process.stdout.write(`${JSON.stringify({ url: relay.url, pid: process.pid })}\n`);
  // A parent that goes away must not end the relay with it.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  void keepCompiled(config.dataFolder).catch(() => {});
  const why = await new Promise<'ended' | 'handedOver'>(resolve => {
    process.once('SIGTERM', () => resolve('ended'));
    process.once('SIGINT', () => resolve('ended'));
    void relay.idle.then(() => resolve('ended'));
    void relay.databaseLost.then(() => endWithoutDatabase(config));
    void relay.handedOver.then(() => resolve('handedOver'));
  });
  if (why === 'handedOver') {
    setTimeout(() => process.exit(EXIT.ok), HAND_OVER_CLOSE_MS).unref();
  }
  await relay.close();
  // A request that was given up may keep the process for as long as its answer takes.
  setTimeout(() => process.exit(EXIT.ok), LINGER_MS).unref();
  return EXIT.ok;
}

/** Nothing is tidied up: what now is in the folder may be another relay's. */
function endWithoutDatabase({ dataFolder }: Config): void {
  const lost = new SandpiperError(
    'unavailable',
    `The data folder ${dataFolder}, or the database in it, was removed or replaced while the relay used it.`,
    {
      hint: 'Put it back or restore a backup, then start the relay again. What was done in the last second may be lost.',
    },
  );
  process.stderr.write(`${errorText(lost)}\n`);
  process.exit(EXIT.failed);
}

type Started = { relay: Relay; first?: undefined } | { relay?: undefined; first: RelayAddress };

async function startOrFind(config: Config, log: Logger, replace: boolean): Promise<Started> {
  const started = await tryToStart(config, log);
  if (started.relay || !(replace || isOlder(started.first.version, VERSION))) {
    return started;
  }
  log.log('info', 'relay', 'Asking the relay that runs for its place', { ...started.first, token: undefined });
  await askToHandOver(started.first, VERSION);
  return tryToStart(config, log);
}

async function tryToStart(config: Config, log: Logger): Promise<Started> {
  try {
    // At once: whatever letting go would remove is the new owner's by now.
    return { relay: await startRelay(config, log, () => process.exit(EXIT.fenced)) };
  } catch (error) {
    const failure = toSandpiperError(error);
    // A taken port is a conflict too, but not one that another relay of this folder explains.
    const isHeld = failure.code === 'conflict' && failure.details?.['port'] === undefined;
    const first = isHeld ? await awaitRelay(config.dataFolder) : undefined;
    if (!first) {
      throw failure;
    }
    return { first };
  }
}

/** The relay that holds the lock; it may be starting up and not listen yet. */
async function awaitRelay(dataFolder: string): Promise<RelayAddress | undefined> {
  const giveUpAt = Date.now() + OTHER_RELAY_MS;
  for (;;) {
    const found = await findRelay(dataFolder);
    if (found || Date.now() >= giveUpAt) {
      return found;
    }
    await sleep(OTHER_RELAY_POLL_MS);
  }
}
