import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { migrate, refuseNewerSchema } from './migrations.ts';
import { connectNodeSqlite } from './nodeSqliteConnection.ts';
import { connectSqlite3 } from './sqlite3Connection.ts';
import type { ConnectSqlite } from './sqliteConnection.ts';
import { sqliteDialect } from './sqliteDialect.ts';
import { toStoreError } from './sqliteErrors.ts';
import type { Tables } from './tables.ts';

export type SqliteDriverName = 'sqlite3' | 'node';

/** A SQLite file with the current schema. Long reads go through `reader` and do not hold up the writer. */
export interface SqliteDatabase {
  file: string;
  driver: SqliteDriverName;
  writer: Kysely<Tables>;
  reader: Kysely<Tables>;
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  log: Logger;
  /** Default: `sqlite3`, and `node` where its binary cannot be loaded. */
  driver?: SqliteDriverName;
}

export const CONNECT: Record<SqliteDriverName, ConnectSqlite> = { sqlite3: connectSqlite3, node: connectNodeSqlite };

/** The write-ahead log is cut back to this after a checkpoint, however far a burst has grown it. */
const MAX_WAL_BYTES = 16 * 1024 * 1024;

/**
 * `NORMAL` keeps every commit when the process dies; a power cut may take the last ones, which the journal's offset
 * (committed with them) makes the relay read again.
 */
const WRITER_PRAGMAS = [
  'journal_mode = wal',
  'synchronous = normal',
  'wal_autocheckpoint = 1000',
  `journal_size_limit = ${MAX_WAL_BYTES}`,
];

/**
 * Opens a database file, makes it (mode 0600) where it is missing and migrates it.
 * @throws `version_mismatch` for the file of a newer Sandpiper, which stays as it is; `internal` when it is damaged or
 * no driver can be loaded; `unavailable` when it is locked; `disk_full`
 */
export async function openDatabase(file: string, options: OpenDatabaseOptions): Promise<SqliteDatabase> {
  const driver = await chooseDriver(options);
  const opened: Kysely<Tables>[] = [];
  const close = async () => {
    await Promise.all(opened.map(db => db.destroy()));
  };
  try {
    await makePrivateFile(file);
    const writer = await connect(driver, file, false);
    opened.push(writer);
    await refuseNewerSchema(writer, file);
    for (const pragma of WRITER_PRAGMAS) {
      await sql.raw(`pragma ${pragma}`).execute(writer);
    }
    await migrate(writer);
    const reader = await connect(driver, file, true);
    opened.push(reader);
    return { file, driver, writer, reader, close };
  } catch (error) {
    await close().catch(() => {});
    throw toStoreError(error, file);
  }
}

async function connect(driver: SqliteDriverName, file: string, readOnly: boolean): Promise<Kysely<Tables>> {
  const connection = await CONNECT[driver](file, { readOnly });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(connection) });
  // Also makes the query layer take the connection up: before its first query it would not close it.
  await sql`pragma foreign_keys = on`.execute(db);
  return db;
}

/** SQLite gives its side files the mode of the database file, so the file is made before SQLite does it. */
async function makePrivateFile(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a', 0o600);
  await handle.close();
  await chmod(file, 0o600);
}

export async function chooseDriver({ driver, log }: OpenDatabaseOptions): Promise<SqliteDriverName> {
  if (driver !== undefined) {
    return driver;
  }
  try {
    await import('sqlite3');
    return 'sqlite3';
  } catch (error) {
    log.log('warn', 'store', 'The sqlite3 package cannot be loaded; using node:sqlite instead', {
      cause: toError(error).message,
    });
  }
  try {
    await import('node:sqlite');
    return 'node';
  } catch (error) {
    throw new SandpiperError('internal', 'Neither the sqlite3 package nor node:sqlite can be loaded.', {
      hint: 'Reinstall Sandpiper, or run it with Node.js 22.13 or newer.',
      cause: error,
    });
  }
}
