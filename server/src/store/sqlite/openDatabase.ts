import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { migrate, refuseNewerSchema } from './migrations.ts';
import { connectNodeSqlite } from './nodeSqliteConnection.ts';
import { connectSqlite3 } from './sqlite3Connection.ts';
import { BackgroundCheckpoints } from './backgroundCheckpoints.ts';
import { BUSY_TIMEOUT_MS, type ConnectSqlite, type SqliteConnection } from './sqliteConnection.ts';
import { sqliteDialect } from './sqliteDialect.ts';
import { isBusy, toStoreError } from './sqliteErrors.ts';
import type { Tables } from './tables.ts';
import { prepareToWriteAtOnce } from './writeAtOnce.ts';

export type SqliteDriverName = 'sqlite3' | 'node';

/** A SQLite file with the current schema. Long reads go through `reader` and do not hold up the writer. */
export interface SqliteDatabase {
  file: string;
  driver: SqliteDriverName;
  writer: Kysely<Tables>;
  reader: Kysely<Tables>;
  /** Absent where it would hold up the writer as much as the writer's own. */
  checkpoints: BackgroundCheckpoints | undefined;
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  log: Logger;
  /** Default: `sqlite3`, and `node` where its binary cannot be loaded. */
  driver?: SqliteDriverName;
  /** See `OpenStoreOptions`. */
  mustHoldData?: boolean;
  /** Runs before anything is changed, to make sure that this process may. */
  beforeMigration?: (writer: Kysely<Tables>) => Promise<void>;
}

export const CONNECT: Record<SqliteDriverName, ConnectSqlite> = { sqlite3: connectSqlite3, node: connectNodeSqlite };

/** The write-ahead log is cut back to this after a checkpoint, however far a burst has grown it. */
const MAX_WAL_BYTES = 16 * 1024 * 1024;
/** From here on the writer moves the log into the file itself: with checkpoints in the background it seldom comes to that. */
const OWN_CHECKPOINT_PAGES = { sqlite3: 3000, node: 1000 };

/**
 * `NORMAL` keeps every commit when the process dies; a power cut may take the last ones, which the journal's offset
 * (committed with them) makes the relay read again.
 */
const WRITER_PRAGMAS = ['journal_mode = wal', 'synchronous = normal', `journal_size_limit = ${MAX_WAL_BYTES}`];

/**
 * Opens a database file, makes it (mode 0600) where it is missing and migrates it.
 * @throws `version_mismatch` for the file of a newer Sandpiper, which stays as it is; `internal` when it is damaged or
 * lost, or no driver can be loaded; `unavailable` when it is locked; `disk_full`
 */
export async function openDatabase(file: string, options: OpenDatabaseOptions): Promise<SqliteDatabase> {
  const driver = await chooseDriver(options);
  const opened: Kysely<Tables>[] = [];
  let checkpoints: BackgroundCheckpoints | undefined;
  const close = async () => {
    await checkpoints?.close();
    // The writer is the last: it then moves the write-ahead log into the file, which a reader cannot.
    for (const db of opened.toReversed()) {
      await db.destroy();
    }
  };
  try {
    if (options.mustHoldData === true && !(await hasContent(file))) {
      throw lostDatabase(file);
    }
    await makePrivateFile(file);
    const writer = await connectDatabase(driver, file, false);
    opened.push(writer);
    await refuseNewerSchema(writer, file);
    if (options.mustHoldData === true && !(await hasTables(writer))) {
      throw lostDatabase(file);
    }
    for (const pragma of [...WRITER_PRAGMAS, `wal_autocheckpoint = ${OWN_CHECKPOINT_PAGES[driver]}`]) {
      await whenFree(() => sql.raw(`pragma ${pragma}`).execute(writer));
    }
    await options.beforeMigration?.(writer);
    await migrate(writer);
    await prepareToWriteAtOnce(writer);
    const reader = await connectDatabase(driver, file, true);
    opened.push(reader);
    // The statements of `node` hold up the event loop, on whichever connection they run.
    checkpoints =
      driver === 'node' ? undefined : new BackgroundCheckpoints(() => connectToCheckpoint(file), options.log);
    return { file, driver, writer, reader, checkpoints, close };
  } catch (error) {
    await close().catch(() => {});
    throw toStoreError(error, file);
  }
}

/** SQLite does not itself wait for a lock where two connections change the journal's mode at the same time. */
async function whenFree(action: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      await action();
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) {
        throw error;
      }
      await new Promise(resolve => setTimeout(resolve, 20 * (0.5 + Math.random())));
    }
  }
}

async function connectToCheckpoint(file: string): Promise<SqliteConnection> {
  const connection = await connectSqlite3(file, { readOnly: false });
  // As the writer has it; the default asks for one more fsync that nothing here needs.
  await connection.execute('pragma synchronous = normal', []);
  return connection;
}

/** One connection; most callers want `openDatabase`. */
export async function connectDatabase(
  driver: SqliteDriverName,
  file: string,
  readOnly: boolean,
): Promise<Kysely<Tables>> {
  const connection = await CONNECT[driver](file, { readOnly });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(connection) });
  // Also makes the query layer take the connection up: before its first query it would not close it.
  await sql`pragma foreign_keys = on`.execute(db);
  return db;
}

async function hasContent(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && found.size > 0;
}

/** A database that was never moved out of its write-ahead log is empty without it. */
async function hasTables(db: Kysely<Tables>): Promise<boolean> {
  return (await sql`select 1 from sqlite_master where name = 'sessions'`.execute(db)).rows.length > 0;
}

function lostDatabase(file: string): SandpiperError {
  return new SandpiperError('internal', `The database ${file} is gone or empty, though sessions have worked here.`, {
    hint: 'Put it back with its -wal file, or restore a backup into another folder: sandpiper backup restore. To begin anew, choose another folder with SANDPIPER_DATA. Nothing has been changed.',
  });
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
