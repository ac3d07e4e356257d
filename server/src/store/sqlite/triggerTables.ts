import { sql, type Kysely, type Selectable } from 'kysely';
import type { FiringRow, TriggerStore } from '../triggerStore.ts';
import type { Tables } from './tables.ts';

/* The table of what asked for sessions. A change is handed a transaction in which the store's owner was checked. */

type Db = Kysely<Tables>;

/** So many of each trigger stay, however old: a schedule must find its last due time also when clocks were moved. */
const KEPT_OF_EACH = 100;

export async function addFiring(
  db: Db,
  firing: Parameters<TriggerStore['addFiring']>[0],
  cap: Parameters<TriggerStore['addFiring']>[1],
): ReturnType<TriggerStore['addFiring']> {
  const { key, trigger, at, dueAt, subject, reason, data } = firing;
  const known = await db.selectFrom('trigger_firings').select('state').where('key', '=', key).executeTakeFirst();
  if (known && known.state !== 'refused') {
    return 'there';
  }
  const { count } = await db
    .selectFrom('trigger_firings')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('trigger', '=', trigger)
    .where('state', 'not in', ['refused', 'ignored'])
    .where('at', '>', cap.since)
    .where('at', '<=', at)
    .executeTakeFirstOrThrow();
  const isRefused = count >= cap.max;
  const row = {
    at,
    due_at: dueAt,
    subject: subject ?? null,
    state: isRefused ? ('refused' as const) : ('waiting' as const),
    reason: isRefused ? cap.reason : (reason ?? null),
    data: isRefused ? null : (data ?? null),
  };
  await db
    .insertInto('trigger_firings')
    .values({ key, trigger, session_id: null, attempts: 0, ...row })
    .onConflict(conflict => conflict.column('key').doUpdateSet(row))
    .execute();
  return isRefused ? 'refused' : 'added';
}

export async function waitingFirings(db: Db, limit: number): Promise<FiringRow[]> {
  const rows = await db
    .selectFrom('trigger_firings')
    .selectAll()
    .where('state', '=', 'waiting')
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows.map(toFiring);
}

export async function listFirings(
  db: Db,
  { trigger, subject, state, limit }: Parameters<TriggerStore['listFirings']>[0],
): Promise<FiringRow[]> {
  let query = db.selectFrom('trigger_firings').selectAll();
  if (trigger !== undefined) {
    query = query.where('trigger', '=', trigger);
  }
  if (subject !== undefined) {
    query = query.where('subject', '=', subject);
  }
  if (state !== undefined) {
    query = query.where('state', '=', state);
  }
  return (await query.orderBy('number', 'desc').limit(limit).execute()).map(toFiring);
}

export async function readFiring(db: Db, key: string): Promise<FiringRow | undefined> {
  const row = await db.selectFrom('trigger_firings').selectAll().where('key', '=', key).executeTakeFirst();
  return row && toFiring(row);
}

export async function lastFiring(db: Db, trigger: string, upTo: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('trigger_firings')
    .select('at')
    .where('trigger', '=', trigger)
    .where('at', '<=', upTo)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.at;
}

export async function settleFiring(
  db: Db,
  { key, state, sessionId, attempts, dueAt, reason }: Parameters<TriggerStore['settleFiring']>[0],
): Promise<void> {
  await db
    .updateTable('trigger_firings')
    .set({
      state,
      session_id: sessionId ?? null,
      attempts,
      due_at: dueAt,
      reason: reason ?? null,
      ...(state === 'begun' || state === 'ignored' ? { data: null } : {}),
    })
    .where('key', '=', key)
    .execute();
}

export async function pruneFirings(db: Db, before: number): Promise<void> {
  await sql`
    delete from trigger_firings where at < ${before} and state <> 'waiting' and number in (
      select number from (
        select number, row_number() over (partition by "trigger" order by number desc) as place from trigger_firings
      ) where place > ${KEPT_OF_EACH}
    )`.execute(db);
}

function toFiring(row: Selectable<Tables['trigger_firings']>): FiringRow {
  return {
    key: row.key,
    number: row.number,
    trigger: row.trigger,
    at: row.at,
    state: row.state,
    subject: row.subject ?? undefined,
    sessionId: row.session_id ?? undefined,
    attempts: row.attempts,
    dueAt: row.due_at,
    reason: row.reason ?? undefined,
    data: row.data ?? undefined,
  };
}
