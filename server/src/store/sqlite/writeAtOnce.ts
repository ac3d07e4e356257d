import { CompiledQuery, sql, type Kysely } from 'kysely';
import type { PreparedAppend } from './groupCommit.ts';
import type { Tables } from './tables.ts';

/*
 * A whole group as one statement. Every statement that goes through the thread pool costs two switches of threads, and a
 * transaction takes many of them; so appends are rows of a view, whose trigger checks each of them against the store and
 * does what it says. A statement by itself is a transaction of its own: all of a group is durable, or nothing.
 */

/** Few of them: the package takes longer over a parameter than SQLite over a value in a JSON array. */
const COLUMNS = [
  'session_id',
  'facts',
  'summary',
  'runtime',
  'decoder',
  // JSON array of the events. Their texts come out as they went in: SQLite changes nothing but white space, which they lack.
  'bodies',
  'rest',
];
/** The JSON array `facts`. `at` and `type` are what all events have in common, and otherwise null. */
const FACTS = [
  'epoch',
  'expectedSeq',
  'lastSeq',
  'updatedAt',
  'archived',
  'segment',
  'offset',
  'at',
  'type',
  'now',
] as const;
type Fact = (typeof FACTS)[number];
/** `rest`, most often; otherwise a JSON object. */
const NO_REST = 'null';

const ROW = `(${COLUMNS.map(() => '?').join(', ')})`;
const NO_ROW = COLUMNS.map(() => null);

/** Time and type are looked up in their arrays from the front: with more of them the careful way costs less. */
const MAX_LOOKED_UP = 500;

/** Makes the view. It belongs to the connection, not to the file. */
export async function prepareToWriteAtOnce(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`create temp view appends as select ${COLUMNS.map(name => `null as ${name}`).join(', ')}`).execute(db);
  const fact = (name: Fact) => sql.raw(`new.facts ->> ${FACTS.indexOf(name)}`);
  await sql`
    create temp trigger append instead of insert on appends when new.session_id is not null begin
      select raise(abort, 'not as expected')
      where (select epoch from relay_lease where released = 0) is not (${fact('epoch')})
         or coalesce((select last_seq from sessions where id = new.session_id), 0) is not (${fact('expectedSeq')});
      insert into sessions (id, last_seq, updated_at, archived, summary, runtime,
                            journal_segment, journal_offset, journal_decoder)
      values (new.session_id, ${fact('lastSeq')}, ${fact('updatedAt')}, ${fact('archived')}, new.summary, new.runtime,
              ${fact('segment')}, ${fact('offset')}, new.decoder)
      on conflict (id) do update set
        last_seq = excluded.last_seq,
        updated_at = excluded.updated_at,
        archived = excluded.archived,
        summary = excluded.summary,
        runtime = coalesce(excluded.runtime, runtime),
        journal_segment = coalesce(excluded.journal_segment, journal_segment),
        journal_offset = coalesce(excluded.journal_offset, journal_offset),
        journal_decoder = coalesce(excluded.journal_decoder, journal_decoder);
      insert into events (session_id, seq, at, type, body)
      select new.session_id, (${fact('expectedSeq')}) + 1 + key,
             coalesce(${fact('at')}, new.rest -> 'ats' ->> key),
             coalesce(${fact('type')}, new.rest -> 'types' ->> key), value
      from json_each(new.bodies);
      insert into inputs (session_id, segment, number, line)
      select new.session_id, value ->> 0, value ->> 1, value ->> 2 from json_each(new.rest, '$.inputs');
      insert into calls (key, method, params_hash, result, at)
      select value ->> 0, value ->> 1, value ->> 2, value ->> 3, ${fact('now')} from json_each(new.rest, '$.calls');
    end
  `.execute(db);
}

/** Whether a group can be written at once, if the store is as its appends expect it. */
export function fitsAtOnce(group: readonly PreparedAppend[]): boolean {
  return group.every(({ events }) => events.length <= MAX_LOOKED_UP || isUniform(events));
}

/**
 * Writes appends that fit; all of them durable when this resolves, none of them when it fails. What it throws
 * `isForTheCarefulWay` when the store is not as one of them expects it, or is not owned by `epoch`.
 */
export async function writeAtOnce(
  db: Kysely<Tables>,
  group: readonly PreparedAppend[],
  { now, epoch }: { now: number; epoch: number | undefined },
): Promise<void> {
  const rows = statementRows(group.length);
  const parameters = group.flatMap(append => rowOf(append, now, epoch));
  for (let row = group.length; row < rows; row++) {
    parameters.push(...NO_ROW);
  }
  await db.executeQuery(CompiledQuery.raw(statementOf(rows), parameters));
}

function rowOf(append: PreparedAppend, now: number, epoch: number | undefined): unknown[] {
  const { sessionId, expectedSeq, events, updatedAt, archived, summary, runtime, journal } = append;
  const [at, type] = [common(events.map(one => one.at)), common(events.map(one => one.type))];
  const facts: Record<Fact, unknown> = {
    epoch,
    expectedSeq,
    lastSeq: expectedSeq + events.length,
    updatedAt,
    archived: archived ? 1 : 0,
    segment: journal?.segment,
    offset: journal?.offset,
    at,
    type,
    now,
  };
  return [
    sessionId,
    JSON.stringify(FACTS.map(name => facts[name])),
    summary,
    runtime,
    journal?.decoder,
    events.length === 0 ? null : `[${events.map(({ body }) => body).join(',')}]`,
    restOf(append, { ats: at === undefined, types: type === undefined }),
  ];
}

function restOf({ events, inputs, call }: PreparedAppend, needs: { ats: boolean; types: boolean }): string {
  const mixed = events.length > 0 && (needs.ats || needs.types);
  if (!mixed && inputs.length === 0 && !call) {
    return NO_REST;
  }
  return JSON.stringify({
    ats: needs.ats ? events.map(({ at }) => at) : [],
    types: needs.types ? events.map(({ type }) => type) : [],
    inputs: inputs.map(({ segment, number, line }) => [segment, number, line]),
    calls: call ? [[call.key, call.method, call.paramsHash, call.result]] : [],
  });
}

function isUniform(events: PreparedAppend['events']): boolean {
  return events.every(({ at, type }) => at === events[0]?.at && type === events[0].type);
}

function common<Value>(values: readonly Value[]): Value | undefined {
  const [first] = values;
  return values.every(value => value === first) ? first : undefined;
}

/** Few different sizes, so that few statements are kept prepared; the rows that are too many are empty. */
function statementRows(appends: number): number {
  return 2 ** Math.ceil(Math.log2(appends));
}

const statements = new Map<number, string>();

function statementOf(rows: number): string {
  let statement = statements.get(rows);
  if (statement === undefined) {
    statement = `insert into appends values ${Array.from({ length: rows }, () => ROW).join(', ')}`;
    statements.set(rows, statement);
  }
  return statement;
}
