import { sql, type Kysely } from 'kysely';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { SessionEvent } from '../../../../protocol/events.ts';
import type { CallRecord, SessionImport, SessionRow, Store } from '../store.ts';
import type { Tables } from './tables.ts';

/** Takes a session out of every table. @param db a transaction */
export async function removeSession(
  db: Kysely<Tables>,
  { sessionId, expectedSeq, call }: Parameters<Store['removeSession']>[0],
  now: number,
): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('id', '=', sessionId)
    .where('last_seq', '=', expectedSeq)
    .executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) {
    throw new SandpiperError('conflict', `Session ${sessionId} does not end at event ${expectedSeq}.`, {
      details: { sessionId, expectedSeq },
    });
  }
  await recordCall(db, call, now);
}

/** Puts a session into every table; its pages are read one at a time. @param db a transaction */
export async function importSession(
  db: Kysely<Tables>,
  { sessionId, events, row, call }: SessionImport,
  now: number,
): Promise<void> {
  const known = await db.selectFrom('sessions').select('id').where('id', '=', sessionId).executeTakeFirst();
  if (known) {
    throw new SandpiperError('conflict', `There is a session ${sessionId} already.`);
  }
  // The row comes first, because events refer to it; what it says is known only when they were read.
  await db
    .insertInto('sessions')
    .values({ id: sessionId, last_seq: 0, updated_at: 0, archived: 0, summary: '{}', runtime: null })
    .execute();
  for await (const page of events) {
    await insertPage(db, sessionId, page);
  }
  await db.updateTable('sessions').set(rowValues(row())).where('id', '=', sessionId).execute();
  await recordCall(db, call, now);
}

async function insertPage(db: Kysely<Tables>, sessionId: string, page: readonly SessionEvent[]): Promise<void> {
  const rows = page.map(({ seq, at, body }) => [seq, at, body.type, JSON.stringify(body)]);
  await sql`
    insert into events (session_id, seq, at, type, body)
    select ${sessionId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(${JSON.stringify(rows)})
  `.execute(db);
}

function rowValues({ lastSeq, summary, runtime, journal }: Omit<SessionRow, 'sessionId'>) {
  return {
    last_seq: lastSeq,
    updated_at: summary.updatedAt,
    archived: summary.archived ? 1 : 0,
    summary: JSON.stringify(summary),
    runtime,
    journal_segment: journal?.segment ?? null,
    journal_offset: journal?.offset ?? null,
    journal_decoder: journal?.decoder ?? null,
  };
}

export async function recordCall(db: Kysely<Tables>, call: CallRecord | undefined, now: number): Promise<void> {
  if (call) {
    const { key, method, paramsHash, result } = call;
    await db.insertInto('calls').values({ key, method, params_hash: paramsHash, result, at: now }).execute();
  }
}
