import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { awaitOwnership, type Claimed } from './awaitOwnership.ts';
import type { Config } from './core/config.ts';
import { runsWithLock } from './core/lockHolder.ts';
import type { Logger } from './core/log.ts';
import type { Ownership } from './core/ownership.ts';
import { LeaseKeeper } from './store/leaseKeeper.ts';
import { openStore } from './store/sqlite/openStore.ts';
import { tryRelayLock, type RelayLock } from './store/sqlite/relayLock.ts';
import type { Store } from './store/store.ts';

/** How long a relay that was taken over from may take to wake up and end; meanwhile the new one gives no sign of life. */
const WAKE_MS = 2_000;
const WAKE_POLL_MS = 20;

export interface OwnedStore {
  store: Store;
  ownership: Ownership;
  /** Lets go of the data folder. */
  close: () => Promise<void>;
}

/**
 * Becomes the one relay of the data folder and opens its store.
 * @param onFenced another relay has taken over
 * @throws `conflict` while another relay lives, and what opening a store throws
 */
export async function openOwnedStore(config: Config, log: Logger, onFenced: () => void): Promise<OwnedStore> {
  const claimed = await awaitOwnership(config, log);
  const { claim, hung } = claimed;
  let { lock } = claimed;
  let store: Store;
  try {
    store = await openStore({
      file: join(config.dataFolder, 'relay.db'),
      log,
      mustHoldData: await holdsSessions(config.dataFolder),
      claim,
      onFenced: () => {
        log.log('error', 'relay', 'Another relay has taken over: this one was stopped for too long and ends', {
          pid: process.pid,
        });
        onFenced();
      },
    });
  } catch (error) {
    await lock?.release();
    throw explain(error, hung);
  }
  const epoch = store.epoch ?? 0;
  log.log('info', 'relay', 'This relay owns the data folder', { epoch });
  const lockFile = join(config.dataFolder, 'relay.lock');
  if (hung) {
    log.log('warn', 'relay', `Took over from process ${hung.pid}, which gives no sign of life`, { pid: hung.pid });
    lock ??= await awaitEndOf(hung.pid, lockFile, { waitMs: Math.min(WAKE_MS, config.leaseMs / 2), log });
  }
  const keeper = new LeaseKeeper({
    store,
    epoch,
    leaseMs: config.leaseMs,
    log,
    // The one that hung has kept it.
    locked: async () => (lock ??= await tryRelayLock(lockFile, log)) !== undefined,
  });
  return {
    store,
    ownership: keeper,
    close: async () => {
      await keeper.release();
      await store.close();
      await lock?.release();
    },
  };
}

/**
 * Wakes a relay that was taken over from, if it was only stopped: it finds that out and ends, and with it end the programs
 * that it ran in sandboxes and the connections on which clients and agents wait for it. One that runs in circles is killed
 * where the system tells for sure which process it is. What does not end is fenced.
 * @returns the lock that it held
 */
async function awaitEndOf(
  pid: number,
  lockFile: string,
  { waitMs, log }: { waitMs: number; log: Logger },
): Promise<RelayLock | undefined> {
  if (process.platform !== 'win32') {
    try {
      // Whatever has this number by now: a process that runs takes no notice.
      process.kill(pid, 'SIGCONT');
    } catch {
      // It is gone, or another user's.
    }
  }
  const lock = await awaitLock(lockFile, waitMs, log);
  if (lock) {
    return lock;
  }
  // It runs and does nothing that it should. It can write nothing any more, so nothing is lost with it. One that somebody
  // has stopped is left to them: it ends when it wakes up.
  if (await runsWithLock(pid, lockFile)) {
    log.log('warn', 'relay', `Ending process ${pid}: it was taken over from, and does not end by itself`, { pid });
    process.kill(pid, 'SIGKILL');
    return awaitLock(lockFile, waitMs, log);
  }
  log.log('warn', 'relay', `Process ${pid} does not end`, { pid, hint: `End it: kill -9 ${pid}` });
  return undefined;
}

async function awaitLock(lockFile: string, waitMs: number, log: Logger): Promise<RelayLock | undefined> {
  const giveUpAt = performance.now() + waitMs;
  while (performance.now() < giveUpAt) {
    const lock = await tryRelayLock(lockFile, log);
    if (lock) {
      return lock;
    }
    await sleep(WAKE_POLL_MS);
  }
  return undefined;
}

/** The one that hangs may have been stopped in the middle of a transaction: then nobody can write but it. */
function explain(error: unknown, hung: Claimed['hung']): unknown {
  const failure = toSandpiperError(error);
  if (!hung || failure.code !== 'unavailable') {
    return error;
  }
  return new SandpiperError(
    'unavailable',
    `The relay with process ${hung.pid} hangs in the middle of a write and keeps the database locked.`,
    { hint: `End it, then try again; nothing is lost: kill -9 ${hung.pid}`, cause: error },
  );
}

/** Whether sessions have left something here: then an empty database is a lost one. */
async function holdsSessions(dataFolder: string): Promise<boolean> {
  const lists = await Promise.all(
    ['mirrors', 'sandboxes', 'blobs'].map(name => readdir(join(dataFolder, name)).catch(() => [])),
  );
  return lists.flat().some(name => name !== 'tmp');
}
