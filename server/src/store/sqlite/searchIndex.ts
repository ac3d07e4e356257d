import { open, rm, stat } from 'node:fs/promises';
import { toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { SearchHit, SearchIndex, SearchKind, SearchQuery, SearchText } from '../search.ts';
import { chooseDriver, CONNECT, type SqliteDriverName } from './openDatabase.ts';
import type { SqliteConnection, SqliteValue } from './sqliteConnection.ts';
import { isDamaged, toStoreError } from './sqliteErrors.ts';

/** Its name in the data folder. */
export const SEARCH_FILE = 'search.db';

/** Another number makes every index of an earlier form be made anew. */
const FORM = 1;
/** Three characters are the least that the index finds; less is looked for in every text. */
const MIN_INDEXED = 3;

const SCHEMA = [
  'pragma journal_mode = wal',
  'pragma synchronous = normal',
  // What a deleted session said must not stay in the file.
  'pragma secure_delete = on',
  `create table if not exists indexed (session_id text primary key, seq integer not null) strict, without rowid`,
  `create table if not exists texts (
     id integer primary key, session_id text not null, item_id text, seq integer not null, at real not null,
     kind text not null, text text not null
   ) strict`,
  `create index if not exists texts_by_session on texts (session_id, item_id)`,
  // Trigrams find parts of words, and languages that put no spaces between them.
  `create virtual table if not exists found using fts5(text, content='texts', content_rowid='id', tokenize='trigram')`,
  `create trigger if not exists text_added after insert on texts begin
     insert into found (rowid, text) values (new.id, new.text);
   end`,
  `create trigger if not exists text_removed after delete on texts begin
     insert into found (found, rowid, text) values ('delete', old.id, old.text);
   end`,
  `insert into found (found, rank) values ('secure-delete', 1)`,
  `pragma user_version = ${FORM}`,
];

interface Options {
  /** Made where it is missing; its folder must be there. */
  file: string;
  log: Logger;
  driver?: SqliteDriverName;
  /** A damaged one is left as it is, and the failure is thrown. */
  keep?: boolean;
}

/**
 * Opens the index, and begins it anew where it is damaged or of another form.
 * @throws `disk_full`, `unavailable` when it is locked, `internal` when this SQLite has no full-text search
 */
export async function openSearchIndex(options: Options): Promise<SearchIndex> {
  const { file, log } = options;
  try {
    return await openOnce(options);
  } catch (error) {
    if (options.keep === true || !(error instanceof OutdatedIndex || isDamaged(error))) {
      throw toStoreError(error, file);
    }
    log.log('warn', 'store', 'The search index is made anew', { cause: toError(error).message });
    await removeSearchIndex(file);
    return openOnce(options).catch((again: unknown) => {
      throw toStoreError(again, file);
    });
  }
}

/** It is made anew from the log with the next search. */
export async function removeSearchIndex(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(`${file}${suffix}`, { force: true });
  }
}

export async function hasSearchIndex(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

class OutdatedIndex extends Error {}

async function openOnce({ file, log, driver }: Options): Promise<SearchIndex> {
  const chosen = await chooseDriver({ log, ...(driver === undefined ? {} : { driver }) });
  await (await open(file, 'a', 0o600)).close();
  const connection = await CONNECT[chosen](file, { readOnly: false });
  try {
    const { rows } = await connection.execute<{ user_version: number }>('pragma user_version', []);
    const form = rows[0]?.user_version ?? 0;
    if (form !== 0 && form !== FORM) {
      throw new OutdatedIndex(`it has the form ${form}`);
    }
    for (const statement of SCHEMA) {
      await connection.execute(statement, []);
    }
    return new SqliteSearchIndex(connection, file);
  } catch (error) {
    await connection.close().catch(() => undefined);
    throw error;
  }
}

interface TextRow {
  session_id: string;
  item_id: string | null;
  seq: number;
  at: number;
  kind: SearchKind;
  text: string;
}

class SqliteSearchIndex implements SearchIndex {
  readonly #connection: SqliteConnection;
  readonly #file: string;
  /** The connection takes one statement at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: SqliteConnection, file: string) {
    this.#connection = connection;
    this.#file = file;
  }

  positions(): Promise<Map<string, number>> {
    return this.#alone(async () => {
      const { rows } = await this.#connection.execute<{ session_id: string; seq: number }>(
        'select session_id, seq from indexed',
        [],
      );
      return new Map(rows.map(row => [row.session_id, row.seq]));
    });
  }

  add(sessionId: string, seq: number, texts: readonly SearchText[], gone: readonly string[]): Promise<void> {
    return this.#transaction(async () => {
      const rows = texts.map(({ itemId, text, ...rest }) => ({ ...rest, item: itemId ?? null, text: storable(text) }));
      await this.#connection.execute(
        `insert into texts (session_id, item_id, seq, at, kind, text)
         select ?, value ->> 'item', value ->> 'seq', value ->> 'at', value ->> 'kind', value ->> 'text' from json_each(?)`,
        [sessionId, JSON.stringify(rows)],
      );
      for (const itemId of gone) {
        await this.#connection.execute('delete from texts where session_id = ? and item_id = ?', [sessionId, itemId]);
      }
      await this.#connection.execute(
        'insert into indexed (session_id, seq) values (?, ?) on conflict (session_id) do update set seq = excluded.seq',
        [sessionId, seq],
      );
    });
  }

  remove(sessionId: string): Promise<void> {
    return this.#transaction(async () => {
      await this.#connection.execute('delete from texts where session_id = ?', [sessionId]);
      await this.#connection.execute('delete from indexed where session_id = ?', [sessionId]);
    }).then(() =>
      this.#alone(async () => void (await this.#connection.execute('pragma wal_checkpoint(truncate)', []))),
    );
  }

  find({ terms, limit }: SearchQuery): Promise<SearchHit[]> {
    const long = terms.filter(term => Array.from(term).length >= MIN_INDEXED);
    const short = terms.filter(term => !long.includes(term));
    const conditions = [
      ...(long.length > 0 ? ['id in (select rowid from found where found match ?)'] : []),
      ...short.map(() => `instr(lower(text), lower(?)) > 0`),
    ];
    const parameters: SqliteValue[] = [
      ...(long.length > 0 ? [long.map(term => `"${term.replaceAll('"', '""')}"`).join(' AND ')] : []),
      ...short,
      limit,
    ];
    return this.#alone(async () => {
      const { rows } = await this.#connection.execute<TextRow>(
        `select session_id, item_id, seq, at, kind, text from texts where ${conditions.join(' and ')}
         order by at desc, id desc limit ?`,
        parameters,
      );
      return rows.map(({ session_id, item_id, ...rest }) => ({
        ...rest,
        sessionId: session_id,
        ...(item_id === null ? {} : { itemId: item_id }),
      }));
    });
  }

  problems(): Promise<string[]> {
    return this.#alone(async () => {
      const { rows } = await this.#connection.execute<{ quick_check: string }>('pragma quick_check(5)', []);
      const lines = rows.map(row => row.quick_check).filter(line => line !== 'ok');
      try {
        await this.#connection.execute(`insert into found (found, rank) values ('integrity-check', 1)`, []);
      } catch (error) {
        lines.push(toError(error).message);
      }
      return lines;
    });
  }

  close(): Promise<void> {
    return this.#alone(() => this.#connection.close());
  }

  #transaction(work: () => Promise<void>): Promise<void> {
    return this.#alone(async () => {
      await this.#connection.execute('begin immediate', []);
      try {
        await work();
        await this.#connection.execute('commit', []);
      } catch (error) {
        await this.#connection.execute('rollback', []).catch(() => undefined);
        throw error;
      }
    });
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next.catch((error: unknown) => {
      throw toStoreError(error, this.#file);
    });
  }
}

/** SQLite ends a text at its first NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', ' ').toWellFormed();
}
