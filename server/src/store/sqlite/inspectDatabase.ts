import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { toError, type SandpiperError } from '../../../../protocol/errors.ts';
import type { SessionEvent } from '../../../../protocol/events.ts';
import { VERSION } from '../../core/config.ts';
import type { Logger } from '../../core/log.ts';
import type { StoreInspection, StoreRepair } from '../inspection.ts';
import { requireDatabase } from './copyDatabase.ts';
import { releaseLease, takeLease } from './leaseTable.ts';
import { refuseNewerSchema } from './migrations.ts';
import { chooseDriver, connectDatabase, openDatabase } from './openDatabase.ts';
import { toStoreError } from './sqliteErrors.ts';
import { parseEventBody } from './storedJson.ts';
import type { Tables } from './tables.ts';

/** More lines of SQLite's own check say nothing new. */
const MAX_LINES = 20;

/**
 * Opens a database to look at it: nothing is changed, and all is read at one point in time.
 * @throws `not_found` when there is none, `version_mismatch`; what else is wrong with it is found by looking
 */
export async function inspectDatabase(file: string, options: { log: Logger }): Promise<StoreInspection> {
  await requireDatabase(file);
  let db: Kysely<Tables> | undefined;
  try {
    db = await connectDatabase(await chooseDriver(options), file, true);
    await sql`begin`.execute(db);
    await refuseNewerSchema(db, file);
    return inspectionOf(db, file);
  } catch (error) {
    const failure = toStoreError(error, file);
    if (failure.code === 'version_mismatch') {
      await db?.destroy();
      throw failure;
    }
    return hopeless(failure, db);
  }
}

function inspectionOf(db: Kysely<Tables>, file: string): StoreInspection {
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, file);
    }
  };
  return {
    integrity: () => integrityOf(db),
    sessionIds: () =>
      guarded(async () => {
        const found = await sql<{ id: string }>`
          select id from sessions union select session_id from events order by 1
        `.execute(db);
        return found.rows.map(row => row.id);
      }),
    readRow: sessionId =>
      guarded(async () => {
        const row = await db.selectFrom('sessions').selectAll().where('id', '=', sessionId).executeTakeFirst();
        if (!row) {
          return undefined;
        }
        const { journal_segment: segment, journal_offset: offset, journal_decoder: decoder } = row;
        return {
          lastSeq: row.last_seq,
          summary: parseOrUndefined(row.summary),
          updatedAt: row.updated_at,
          archived: row.archived === 1,
          runtime: parseOrUndefined(row.runtime ?? '{}'),
          journal: segment === null || offset === null || decoder === null ? undefined : { segment, offset, decoder },
        };
      }),
    readEvents: (sessionId, afterSeq, limit) => guarded(() => readEvents(db, sessionId, afterSeq, limit)),
    extent: sessionId =>
      guarded(async () => {
        const { rows } = await sql<{ events: number; lastSeq: number }>`
          select count(*) as events, coalesce(max(seq), 0) as lastSeq from events where session_id = ${sessionId}
        `.execute(db);
        return rows[0] ?? { events: 0, lastSeq: 0 };
      }),
    inputs: sessionId =>
      guarded(async () => {
        const { rows } = await sql<{ segment: number; first: number; last: number; count: number }>`
          select segment, min(number) as first, max(number) as last, count(*) as count from inputs
          where session_id = ${sessionId} group by segment order by segment
        `.execute(db);
        return rows;
      }),
    close: () => db.destroy(),
  };
}

/** A database that cannot even be opened has no sessions and one problem. */
function hopeless(failure: SandpiperError, db: Kysely<Tables> | undefined): StoreInspection {
  const fail = () => Promise.reject(failure);
  return {
    integrity: () => Promise.resolve([failure.cause instanceof Error ? failure.cause.message : failure.message]),
    sessionIds: () => Promise.resolve([]),
    readRow: fail,
    readEvents: fail,
    extent: fail,
    inputs: fail,
    close: async () => {
      await db?.destroy().catch(() => {});
    },
  };
}

async function integrityOf(db: Kysely<Tables>): Promise<string[]> {
  try {
    const check = await sql<{ integrity_check: string }>`pragma integrity_check(${sql.lit(MAX_LINES)})`.execute(db);
    const orphans = await sql<{ table: string; rowid: number; parent: string }>`pragma foreign_key_check`.execute(db);
    return [
      ...check.rows.map(row => row.integrity_check).filter(line => line !== 'ok'),
      ...new Set(orphans.rows.map(row => `${row.table} holds rows that belong to no row of ${row.parent}`)),
      ...(await specProblems(db)),
    ];
  } catch (error) {
    return [toError(error).message];
  }
}

/** A database that was not opened by a newer relay yet has no specs. */
async function specProblems(db: Kysely<Tables>): Promise<string[]> {
  const tables = await sql`select 1 from sqlite_master where name = 'specs'`.execute(db);
  if (tables.rows.length === 0) {
    return [];
  }
  const { rows } = await sql<{ id: string }>`
    select id from specs
    left join (
      select spec_id, count(*) as many, min(revision) as first, max(revision) as last
      from spec_revisions group by spec_id
    ) on spec_id = id
    where many is null or first <> 1 or last <> last_revision or many <> last_revision
  `.execute(db);
  return rows.map(({ id }) => `the spec ${id} lacks revisions`);
}

async function readEvents(
  db: Kysely<Tables>,
  sessionId: string,
  afterSeq: number,
  limit: number,
): Promise<SessionEvent[]> {
  const rows = await db
    .selectFrom('events')
    .select(['seq', 'at', 'body'])
    .where('session_id', '=', sessionId)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(({ seq, at, body }) => ({ seq, at, body: parseEventBody(body) }));
}

/**
 * Opens a database to write rows that the log gives. Whoever calls this holds the lock of the data folder; the lease is
 * taken too, so that a relay that was only stopped can write no more.
 * @throws `conflict` while another relay owns the store; `version_mismatch`
 */
export async function repairDatabase(file: string, options: { log: Logger }): Promise<StoreRepair> {
  const claim = { holder: randomUUID(), pid: process.pid, version: VERSION, locked: true };
  const database = await openDatabase(file, { ...options, mustHoldData: true });
  const db = database.writer;
  const epoch = await takeLease(db, claim).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  return {
    rewriteRow: async (sessionId, summary) => {
      const { seq, updatedAt, archived } = summary;
      const flag = archived ? 1 : 0;
      const text = JSON.stringify(summary);
      try {
        await sql`
          insert into sessions (id, last_seq, updated_at, archived, summary)
          values (${sessionId}, ${seq}, ${updatedAt}, ${flag}, ${text})
          on conflict (id) do update set
            last_seq = excluded.last_seq, updated_at = excluded.updated_at,
            archived = excluded.archived, summary = excluded.summary
        `.execute(db);
      } catch (error) {
        throw toStoreError(error, file);
      }
    },
    close: async () => {
      await releaseLease(db, epoch);
      await database.close();
    },
  };
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
