import { sql, type Kysely } from 'kysely';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { decideLease, type LeaseClaim, type LeaseRow } from '../lease.ts';
import type { Tables } from './tables.ts';

/** False for a database that an older version has made and this one has not migrated yet. */
export async function hasLeaseTable(db: Kysely<Tables>): Promise<boolean> {
  return (await sql`select 1 from sqlite_master where name = 'relay_lease'`.execute(db)).rows.length > 0;
}

export async function readLease(db: Kysely<Tables>): Promise<LeaseRow | undefined> {
  const row = await db.selectFrom('relay_lease').selectAll().executeTakeFirst();
  if (!row) {
    return undefined;
  }
  const { epoch, holder, pid, version, beat } = row;
  return { epoch, holder, pid, version, beat, locked: row.locked === 1, released: row.released === 1 };
}

/** @returns the new epoch @throws `conflict` while another relay owns the store */
export function takeLease(db: Kysely<Tables>, claim: LeaseClaim): Promise<number> {
  return db.transaction().execute(async transaction => {
    const decision = decideLease(await readLease(transaction), claim);
    if (decision.kind === 'refused') {
      const { pid, version } = decision.owner;
      throw new SandpiperError('conflict', `Another relay (process ${pid}, version ${version}) owns the data folder.`, {
        hint: 'Use that one, or choose another folder with SANDPIPER_DATA.',
        details: { pid, version },
      });
    }
    const { epoch, holder, pid, version, beat, locked } = decision.row;
    const values = { epoch, holder, pid, version, beat, locked: locked ? 1 : 0, released: 0 };
    await transaction
      .insertInto('relay_lease')
      .values({ id: 1, ...values })
      .onConflict(conflict => conflict.column('id').doUpdateSet(values))
      .execute();
    return epoch;
  });
}

/** @returns whether the lease is still this one's */
export async function renewLease(db: Kysely<Tables>, epoch: number, locked: boolean): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('relay_lease')
    .set(eb => ({ beat: eb('beat', '+', 1), locked: locked ? 1 : 0 }))
    .where('epoch', '=', epoch)
    .where('released', '=', 0)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export async function releaseLease(db: Kysely<Tables>, epoch: number): Promise<void> {
  await db.updateTable('relay_lease').set({ released: 1 }).where('epoch', '=', epoch).execute();
}
