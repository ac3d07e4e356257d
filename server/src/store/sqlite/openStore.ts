import type { Logger } from '../../core/log.ts';
import type { Store } from '../store.ts';
import { openDatabase, type SqliteDriverName } from './openDatabase.ts';
import { SqliteStore } from './sqliteStore.ts';

export interface OpenStoreOptions {
  /** The database file; its folder is made where it is missing. */
  file: string;
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
  driver?: SqliteDriverName;
}

/** Opens the store of a relay. Failures are those of `openDatabase`. */
export async function openStore({ file, log, now = Date.now, driver }: OpenStoreOptions): Promise<Store> {
  const database = await openDatabase(file, { log, ...(driver === undefined ? {} : { driver }) });
  return new SqliteStore(database, { log, now });
}
