import { existsSync } from 'node:fs';
import { Kysely } from 'kysely';
import type { Logger } from '../../core/log.ts';
import type { LeaseRow } from '../lease.ts';
import { hasLeaseTable, readLease } from './leaseTable.ts';
import { chooseDriver, CONNECT } from './openDatabase.ts';
import { sqliteDialect } from './sqliteDialect.ts';
import { toStoreError } from './sqliteErrors.ts';
import type { Tables } from './tables.ts';

/** Who owns a database that this process may not touch yet; undefined when it has no owner or does not exist. */
export async function readLeaseOf(file: string, log: Logger): Promise<LeaseRow | undefined> {
  if (!existsSync(file)) {
    return undefined;
  }
  try {
    const connection = await CONNECT[await chooseDriver({ log })](file, { readOnly: true });
    const db = new Kysely<Tables>({ dialect: sqliteDialect(connection) });
    try {
      return (await hasLeaseTable(db)) ? await readLease(db) : undefined;
    } finally {
      await db.destroy();
    }
  } catch (error) {
    throw toStoreError(error, file);
  }
}
