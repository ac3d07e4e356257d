import { sql, type Kysely } from 'kysely';
import { decideGroup, groupRows, type PreparedAppend, type StoredFacts, type Verdict } from './groupCommit.ts';
import { isForTheCarefulWay } from './sqliteErrors.ts';
import type { Tables } from './tables.ts';
import { fitsAtOnce, writeAtOnce } from './writeAtOnce.ts';

interface Writer {
  now: number;
  /** By which the writer owns the store; another owner's store stays as it is. */
  epoch: number | undefined;
}

/**
 * Writes a group of appends in one transaction; a verdict for each, all of them durable when this resolves. It is written as
 * if the store was as the appends expect it; only when that fails it is read what the store holds.
 */
export async function writeGroup(
  db: Kysely<Tables>,
  group: readonly PreparedAppend[],
  writer: Writer,
): Promise<Verdict[]> {
  const verdicts = decideGroup(group, expectedFacts(group, writer.epoch), writer.epoch);
  if (fitsAtOnce(group) && verdicts.every(({ kind }) => kind === 'accepted')) {
    try {
      await writeAtOnce(db, group, writer);
      return verdicts;
    } catch (error) {
      if (!isForTheCarefulWay(error)) {
        throw error;
      }
    }
  }
  return writeCarefully(db, group, writer);
}

/** What the store holds when nobody has it wrong. */
function expectedFacts(group: readonly PreparedAppend[], epoch: number | undefined): StoredFacts {
  const firstOfEach = group
    .toReversed()
    .map(({ sessionId, expectedSeq }): [string, number] => [sessionId, expectedSeq]);
  return { lastSeqs: new Map(firstOfEach), recordedKeys: new Set(), ownerEpoch: epoch };
}

function writeCarefully(
  db: Kysely<Tables>,
  group: readonly PreparedAppend[],
  { now, epoch }: Writer,
): Promise<Verdict[]> {
  return db.transaction().execute(async transaction => {
    const verdicts = decideGroup(group, await readFacts(transaction, group), epoch);
    const rows = groupRows(
      group.filter((_, index) => verdicts[index]?.kind === 'accepted'),
      now,
    );
    if (rows.sessions.length > 0) {
      await upsertSessions(transaction, rows.sessions);
    }
    if (rows.events.length > 0) {
      await insertEvents(transaction, rows.events);
    }
    if (rows.inputs.length > 0) {
      await insertInputs(transaction, rows.inputs);
    }
    if (rows.calls.length > 0) {
      await insertCalls(transaction, rows.calls);
    }
    return verdicts;
  });
}

/** Stands for the owner among the sessions: one statement fewer in every commit. No session has this id. */
const OWNER = '';

async function readFacts(db: Kysely<Tables>, group: readonly PreparedAppend[]): Promise<StoredFacts> {
  const sessionIds = [...new Set(group.map(append => append.sessionId))];
  const sessions = await sql<{ id: string; last_seq: number }>`
    select id, last_seq from sessions where id in (select value from json_each(${JSON.stringify(sessionIds)}))
    union all select ${OWNER}, epoch from relay_lease where released = 0
  `.execute(db);
  const keys = group.flatMap(append => (append.call ? [append.call.key] : []));
  const calls =
    keys.length === 0
      ? []
      : (
          await sql<{ key: string }>`
            select key from calls where key in (select value from json_each(${JSON.stringify(keys)}))
          `.execute(db)
        ).rows;
  const lastSeqs = new Map(sessions.rows.map(row => [row.id, row.last_seq]));
  const ownerEpoch = lastSeqs.get(OWNER);
  lastSeqs.delete(OWNER);
  return {
    lastSeqs,
    ownerEpoch,
    recordedKeys: new Set(calls.map(row => row.key)),
  };
}

/** What an append leaves out (runtime, journal) keeps its value. `where true` keeps `on conflict` out of the join. */
async function upsertSessions(db: Kysely<Tables>, rows: unknown[][]): Promise<void> {
  await sql`
    insert into sessions (id, last_seq, updated_at, archived, summary, runtime,
                          journal_segment, journal_offset, journal_decoder)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
           value ->> 6, value ->> 7, value ->> 8
    from json_each(${JSON.stringify(rows)}) where true
    on conflict (id) do update set
      last_seq = excluded.last_seq,
      updated_at = excluded.updated_at,
      archived = excluded.archived,
      summary = excluded.summary,
      runtime = coalesce(excluded.runtime, runtime),
      journal_segment = coalesce(excluded.journal_segment, journal_segment),
      journal_offset = coalesce(excluded.journal_offset, journal_offset),
      journal_decoder = coalesce(excluded.journal_decoder, journal_decoder)
  `.execute(db);
}

async function insertEvents(db: Kysely<Tables>, rows: unknown[][]): Promise<void> {
  await sql`
    insert into events (session_id, seq, at, type, body)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(${JSON.stringify(rows)})
  `.execute(db);
}

async function insertInputs(db: Kysely<Tables>, rows: unknown[][]): Promise<void> {
  await sql`
    insert into inputs (session_id, segment, number, line)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(${JSON.stringify(rows)})
  `.execute(db);
}

async function insertCalls(db: Kysely<Tables>, rows: unknown[][]): Promise<void> {
  await sql`
    insert into calls (key, method, params_hash, result, at)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(${JSON.stringify(rows)})
  `.execute(db);
}
