import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Tables } from './tables.ts';

/** Every change of the schema, in order of its name. One that has been released is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001_initial': { up: createTables },
  '0002_relay_lease': { up: createLease },
  '0003_specs': { up: createSpecs },
  '0004_hooks': { up: createHooks },
  '0005_triggers': { up: createTriggers },
};

async function createTables(db: Kysely<unknown>): Promise<void> {
  // Events keep their rowid: appends of many sessions then fill the same few pages, which nearly doubles what a commit
  // takes in; without it every session would dirty pages of its own.
  const statements = [
    `create table sessions (
       id text primary key, last_seq integer not null, updated_at real not null, archived integer not null,
       summary text not null, runtime text,
       journal_segment integer, journal_offset integer, journal_decoder text
     ) strict`,
    `create index sessions_by_activity on sessions (archived, updated_at desc, id desc)`,
    `create table events (
       session_id text not null references sessions (id) on delete cascade,
       seq integer not null, at real not null, type text not null, body text not null,
       primary key (session_id, seq)
     ) strict`,
    `create table inputs (
       session_id text not null references sessions (id) on delete cascade,
       segment integer not null, number integer not null, line text not null,
       primary key (session_id, segment, number)
     ) strict, without rowid`,
    `create table calls (
       key text primary key, method text not null, params_hash text not null, result text not null, at real not null
     ) strict`,
    `create index calls_by_age on calls (at)`,
    `create table settings (name text primary key, value text not null) strict`,
  ];
  for (const statement of statements) {
    await sql.raw(statement).execute(db);
  }
}

/** One row, see lease.ts. It is taken before a newer relay migrates, so its columns stay as they are. */
async function createLease(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table relay_lease (
      id integer primary key check (id = 1), epoch integer not null, holder text not null, pid integer not null,
      version text not null, beat integer not null, locked integer not null, released integer not null
    ) strict`.execute(db);
}

async function createSpecs(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table specs (
      id text primary key, last_revision integer not null, created_at real not null, removed integer not null
    ) strict`.execute(db);
  await sql`
    create table spec_revisions (
      spec_id text not null references specs (id) on delete cascade,
      revision integer not null, at real not null, title text not null, text text not null,
      primary key (spec_id, revision)
    ) strict`.execute(db);
}

async function createHooks(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `create table hook_deliveries (
       number integer primary key autoincrement, id text not null unique, event text not null, action text,
       repository text, lane text not null, at real not null, state text not null, attempts integer not null,
       due_at real not null, reason text, request text, body text
     ) strict`,
    `create index hook_deliveries_by_state on hook_deliveries (state, number)`,
    `create table hook_requests (
       key text primary key, subject text not null, at real not null, state text not null, session_id text,
       attempts integer not null, due_at real not null, reason text, data text not null
     ) strict`,
    `create index hook_requests_by_state on hook_requests (state, at)`,
    `create index hook_requests_by_subject on hook_requests (subject, at)`,
  ];
  for (const statement of statements) {
    await sql.raw(statement).execute(db);
  }
}

async function createTriggers(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `create table trigger_firings (
       number integer primary key autoincrement, key text not null unique, "trigger" text not null, at real not null,
       state text not null, subject text, session_id text, attempts integer not null, due_at real not null,
       reason text, data text
     ) strict`,
    `create index trigger_firings_by_state on trigger_firings (state, number)`,
    `create index trigger_firings_by_trigger on trigger_firings ("trigger", at)`,
  ];
  for (const statement of statements) {
    await sql.raw(statement).execute(db);
  }
}

/**
 * Reads, and only reads, whether a newer Sandpiper has changed this database.
 * @throws `version_mismatch`
 */
export async function refuseNewerSchema(db: Kysely<Tables>, file: string): Promise<void> {
  const table = await sql`select 1 from sqlite_master where name = 'kysely_migration'`.execute(db);
  if (table.rows.length === 0) {
    return;
  }
  const executed = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const unknown = executed.rows.map(row => row.name).filter(name => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) {
    throw new SandpiperError('version_mismatch', `A newer version of Sandpiper has written ${file}.`, {
      hint: 'Update Sandpiper, or start this version with another data folder. Nothing has been changed.',
      details: { unknown },
    });
  }
}

/** Brings the schema up to date, each migration in one transaction with the note that it ran. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve({ ...migrations }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) {
    throw toError(error);
  }
}
