import { sql, type Kysely } from 'kysely';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { SpecRow, SpecStore } from '../specStore.ts';
import { noSpec } from '../../../../protocol/specs.ts';
import type { Tables } from './tables.ts';
import { recordCall } from './wholeSession.ts';

/* The tables of specs. A change is handed a transaction in which the store's owner was checked. */

type Writer = Kysely<Tables>;

interface Found {
  id: string;
  revision: number;
  title: string;
  text: string;
  at: number;
  created_at: number;
  removed: number;
}

const COLUMNS = sql.raw('specs.id, revision, title, text, at, created_at, removed');

export async function listSpecs(reader: Writer, { removed }: { removed: boolean }): Promise<SpecRow[]> {
  const { rows } = await sql<Found>`
    select ${COLUMNS} from specs join spec_revisions on spec_id = specs.id and revision = last_revision
    where removed = ${removed ? 1 : 0} order by at desc, specs.id desc
  `.execute(reader);
  return rows.map(toRow);
}

export async function readSpec(reader: Writer, specId: string, revision?: number): Promise<SpecRow | undefined> {
  const { rows } = await sql<Found>`
    select ${COLUMNS} from specs join spec_revisions on spec_id = specs.id
    where specs.id = ${specId} and revision = coalesce(${revision ?? null}, last_revision)
  `.execute(reader);
  return rows[0] && toRow(rows[0]);
}

export function listRevisions(reader: Writer, specId: string): ReturnType<SpecStore['listRevisions']> {
  return reader
    .selectFrom('spec_revisions')
    .select(['revision', 'at', 'title'])
    .where('spec_id', '=', specId)
    .orderBy('revision')
    .execute();
}

export async function writeSpec(
  writer: Writer,
  { specId, expectedRevision, title, text, at, call }: Parameters<SpecStore['writeSpec']>[0],
  now: number,
): Promise<void> {
  const known = await writer.selectFrom('specs').select('last_revision').where('id', '=', specId).executeTakeFirst();
  const revision = known?.last_revision ?? 0;
  if (revision !== expectedRevision) {
    throw new SandpiperError('stale', `The spec is at revision ${revision}, not at ${expectedRevision}.`, {
      hint: 'Look at what was changed meanwhile, then save again.',
      details: { revision },
    });
  }
  const next = revision + 1;
  await writer
    .insertInto('specs')
    .values({ id: specId, last_revision: next, created_at: at, removed: 0 })
    .onConflict(conflict => conflict.column('id').doUpdateSet({ last_revision: next }))
    .execute();
  await writer.insertInto('spec_revisions').values({ spec_id: specId, revision: next, at, title, text }).execute();
  await recordCall(writer, call, now);
}

export async function removeSpec(
  writer: Writer,
  { specId, removed, call }: Parameters<SpecStore['removeSpec']>[0],
  now: number,
): Promise<void> {
  const { numUpdatedRows } = await writer
    .updateTable('specs')
    .set({ removed: removed ? 1 : 0 })
    .where('id', '=', specId)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) {
    throw noSpec(specId);
  }
  await recordCall(writer, call, now);
}

function toRow({ id, revision, title, text, at, created_at, removed }: Found): SpecRow {
  return { specId: id, revision, title, text, at, createdAt: created_at, removed: removed === 1 };
}
