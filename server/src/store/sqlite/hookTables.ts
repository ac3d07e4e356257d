import { sql, type Kysely, type Selectable } from 'kysely';
import type { DeliveryRow, HookStore, NewRequest, RequestRow } from '../hookStore.ts';
import type { Tables } from './tables.ts';

/* The tables of webhooks. A change is handed a transaction in which the store's owner was checked. */

type Db = Kysely<Tables>;

const DELIVERY_COLUMNS = [
  'number',
  'id',
  'event',
  'action',
  'repository',
  'lane',
  'at',
  'state',
  'attempts',
  'due_at',
  'reason',
  'request',
] as const;

export async function addDelivery(db: Db, delivery: Parameters<HookStore['addDelivery']>[0]): Promise<boolean> {
  const { id, event, action, repository, lane, at, reason, body } = delivery;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('hook_deliveries')
    .values({
      id,
      event,
      action: action ?? null,
      repository: repository ?? null,
      lane,
      at,
      state: reason === undefined ? 'waiting' : 'ignored',
      attempts: 0,
      due_at: at,
      reason: reason ?? null,
      request: null,
      body: reason === undefined ? body : null,
    })
    .onConflict(conflict => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function waitingDeliveries(db: Db, limit: number): Promise<DeliveryRow[]> {
  const rows = await db
    .selectFrom('hook_deliveries')
    .select(DELIVERY_COLUMNS)
    .where('state', '=', 'waiting')
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows.map(toDelivery);
}

export async function listDeliveries(
  db: Db,
  { state, limit }: Parameters<HookStore['listDeliveries']>[0],
): Promise<DeliveryRow[]> {
  let query = db.selectFrom('hook_deliveries').select(DELIVERY_COLUMNS);
  if (state !== undefined) {
    query = query.where('state', '=', state);
  }
  return (await query.orderBy('number', 'desc').limit(limit).execute()).map(toDelivery);
}

export async function readDelivery(db: Db, id: string): ReturnType<HookStore['readDelivery']> {
  const row = await db.selectFrom('hook_deliveries').selectAll().where('id', '=', id).executeTakeFirst();
  return row && { ...toDelivery(row), body: row.body ?? undefined };
}

export async function settleDelivery(
  db: Db,
  { id, state, attempts, dueAt, reason, request }: Parameters<HookStore['settleDelivery']>[0],
): Promise<void> {
  if (request) {
    await addRequest(db, request);
  }
  await db
    .updateTable('hook_deliveries')
    .set({
      state,
      attempts,
      due_at: dueAt,
      reason: reason ?? null,
      ...(request ? { request: request.key } : {}),
      ...(state === 'done' || state === 'ignored' ? { body: null } : {}),
    })
    .where('id', '=', id)
    .execute();
}

export async function pruneDeliveries(db: Db, before: number): Promise<void> {
  await db.deleteFrom('hook_deliveries').where('at', '<', before).where('state', '!=', 'waiting').execute();
}

export async function addRequest(db: Db, { key, subject, at, data }: NewRequest): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('hook_requests')
    .values({ key, subject, at, data, state: 'open', session_id: null, attempts: 0, due_at: at, reason: null })
    .onConflict(conflict => conflict.column('key').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function openRequests(db: Db): Promise<RequestRow[]> {
  const rows = await db
    .selectFrom('hook_requests')
    .selectAll()
    .where('state', '=', 'open')
    .orderBy('at')
    .orderBy(sql`rowid`)
    .execute();
  return rows.map(toRequest);
}

export async function listRequests(
  db: Db,
  { subject, state, limit }: Parameters<HookStore['listRequests']>[0],
): Promise<RequestRow[]> {
  let query = db.selectFrom('hook_requests').selectAll();
  if (subject !== undefined) {
    query = query.where('subject', '=', subject);
  }
  if (state !== undefined) {
    query = query.where('state', '=', state);
  }
  const rows = await query
    .orderBy('at', 'desc')
    .orderBy(sql`rowid desc`)
    .limit(limit)
    .execute();
  return rows.map(toRequest);
}

export async function readRequest(db: Db, key: string): Promise<RequestRow | undefined> {
  const row = await db.selectFrom('hook_requests').selectAll().where('key', '=', key).executeTakeFirst();
  return row && toRequest(row);
}

export async function writeRequest(
  db: Db,
  { key, state, sessionId, attempts, dueAt, reason, data }: Parameters<HookStore['writeRequest']>[0],
): Promise<void> {
  await db
    .updateTable('hook_requests')
    .set({ state, session_id: sessionId ?? null, attempts, due_at: dueAt, reason: reason ?? null, data })
    .where('key', '=', key)
    .execute();
}

function toDelivery(row: Omit<Selectable<Tables['hook_deliveries']>, 'body'>): DeliveryRow {
  return {
    id: row.id,
    number: row.number,
    event: row.event,
    action: row.action ?? undefined,
    repository: row.repository ?? undefined,
    lane: row.lane,
    at: row.at,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at,
    reason: row.reason ?? undefined,
    request: row.request ?? undefined,
  };
}

function toRequest(row: Selectable<Tables['hook_requests']>): RequestRow {
  return {
    key: row.key,
    subject: row.subject,
    at: row.at,
    state: row.state,
    sessionId: row.session_id ?? undefined,
    attempts: row.attempts,
    dueAt: row.due_at,
    reason: row.reason ?? undefined,
    data: row.data,
  };
}
