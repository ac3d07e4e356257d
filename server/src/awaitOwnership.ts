import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRelay } from '../../client/localRelay.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { VERSION, type Config } from './core/config.ts';
import type { Logger } from './core/log.ts';
import { observeLease, type LeaseClaim, type LeaseObservation, type LeaseRow } from './store/lease.ts';
import { readLeaseOf } from './store/sqlite/readLeaseOf.ts';
import { tryRelayLock, type RelayLock } from './store/sqlite/relayLock.ts';

export interface Claimed {
  claim: LeaseClaim;
  /** Undefined when a relay that hangs still holds it. */
  lock: RelayLock | undefined;
  /** The relay that gave no sign of life and is taken over from. */
  hung?: LeaseRow | undefined;
}

/** Looks are this share of a lease's time apart. */
const LOOKS = 40;

/**
 * Waits until this process may claim the data folder: at once when its lock is free, as it is after any death; and when a
 * relay holds it that answers nobody and gives no sign of life for the whole time of a lease. Changes nothing.
 * @throws `conflict` while another relay lives
 */
export async function awaitOwnership(config: Config, log: Logger): Promise<Claimed> {
  const lockFile = join(config.dataFolder, 'relay.lock');
  const databaseFile = join(config.dataFolder, 'relay.db');
  const lookMs = config.leaseMs / LOOKS;
  const finder = searchForRelay(config.dataFolder, lookMs);
  let lock: RelayLock | undefined;
  let seen: LeaseObservation | undefined;
  try {
    for (let looks = 0; ; looks++) {
      lock ??= await tryRelayLock(lockFile, log);
      const row = await readLeaseOf(databaseFile, log);
      const before = seen;
      seen = row && observeLease(seen, row, performance.now(), 2 * lookMs);
      const verdict = judge({ row, before, seen, isLocked: lock !== undefined, looks, leaseMs: config.leaseMs });
      if (verdict === 'refused' || finder.found()) {
        throw heldBy(row);
      }
      if (verdict !== 'wait') {
        return { claim: claim(lock !== undefined, verdict.hung), lock, hung: verdict.hung };
      }
      if (looks === 0) {
        log.log('info', 'relay', 'Another relay holds the data folder; waiting for a sign of life', { pid: row?.pid });
      }
      await sleep(lookMs);
    }
  } catch (error) {
    await lock?.release();
    throw error;
  } finally {
    finder.stop();
  }
}

interface Look {
  row: LeaseRow | undefined;
  before: LeaseObservation | undefined;
  seen: LeaseObservation | undefined;
  isLocked: boolean;
  looks: number;
  leaseMs: number;
}

function judge({ row, before, seen, isLocked, looks, leaseMs }: Look): 'wait' | 'refused' | { hung?: LeaseRow } {
  if (isLocked && (row === undefined || row.released || row.locked)) {
    return {};
  }
  if (row === undefined || seen === undefined) {
    // It holds the lock and owns nothing yet, so it is starting; it gets as long.
    return looks >= LOOKS ? 'refused' : 'wait';
  }
  if (seen.silentMs >= leaseMs) {
    return { hung: row };
  }
  const hasBeaten = before !== undefined && seen.silentMs === 0;
  return hasBeaten ? 'refused' : 'wait';
}

function claim(locked: boolean, silent: LeaseRow | undefined): LeaseClaim {
  return { holder: randomUUID(), pid: process.pid, version: VERSION, locked, ...(silent ? { silent } : {}) };
}

/** Asks in the background, as one that hangs answers only with a timeout. */
function searchForRelay(dataFolder: string, pauseMs: number): { found(): boolean; stop(): void } {
  let found = false;
  let stopped = false;
  const search = async (): Promise<void> => {
    while (!stopped && !found) {
      // An address that cannot be trusted is none; what is wrong with it is said by whoever needs it.
      found = (await findRelay(dataFolder).catch(() => undefined)) !== undefined;
      await sleep(pauseMs);
    }
  };
  void search();
  return { found: () => found, stop: () => void (stopped = true) };
}

function heldBy(row: LeaseRow | undefined): SandpiperError {
  const who = row ? `process ${row.pid}, version ${row.version}` : 'it is starting, or an old version';
  return new SandpiperError('conflict', `Another relay uses the data folder (${who}).`, {
    hint: 'Use that one, or choose another folder with SANDPIPER_DATA.',
    ...(row ? { details: { pid: row.pid, version: row.version } } : {}),
  });
}
