import type { Logger } from '../../core/log.ts';
import type { LeaseClaim } from '../lease.ts';
import type { Store } from '../store.ts';
import { hasLeaseTable, takeLease } from './leaseTable.ts';
import { openDatabase, type SqliteDriverName } from './openDatabase.ts';
import { SqliteStore } from './sqliteStore.ts';

export interface OpenStoreOptions {
  /** The database file; its folder is made where it is missing. */
  file: string;
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
  driver?: SqliteDriverName;
  /** The database is known to have held sessions: one that is missing or empty is refused instead of begun anew. */
  mustHoldData?: boolean;
  /** Makes the caller the owner, before the schema is touched. */
  claim?: LeaseClaim;
  /** Called once, when another relay turns out to own the store; before the write that found out fails. */
  onFenced?: () => void;
}

/** Opens the store of a relay. Failures are those of `openDatabase`, and `conflict` when the claim is refused. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { file, log, now = Date.now, driver, mustHoldData = false, claim, onFenced = () => {} } = options;
  let epoch: number | undefined;
  const database = await openDatabase(file, {
    log,
    mustHoldData,
    ...(driver === undefined ? {} : { driver }),
    beforeMigration: async writer => {
      // A relay that owns a store of an older schema must be out of the way before the schema changes under it.
      if (claim && (await hasLeaseTable(writer))) {
        epoch = await takeLease(writer, claim);
      }
    },
  });
  const store = new SqliteStore(database, { log, now, epoch, onFenced });
  if (claim && epoch === undefined) {
    await store.takeLease(claim);
  }
  return store;
}
