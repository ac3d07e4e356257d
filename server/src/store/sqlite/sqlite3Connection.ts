import type * as sqlite3Package from 'sqlite3';
import type { Database, Statement } from 'sqlite3';
import {
  BUSY_TIMEOUT_MS,
  isReusable,
  MAX_PREPARED,
  returnsRows,
  type SqliteConnection,
  type SqliteResult,
  type SqliteValue,
} from './sqliteConnection.ts';
import { PreparedStatements } from './preparedStatements.ts';

type Sqlite3 = Pick<typeof sqlite3Package, 'Database' | 'OPEN_READONLY' | 'OPEN_READWRITE' | 'OPEN_CREATE'>;

/**
 * Connects through the `sqlite3` package, whose statements run on the thread pool and leave the event loop free.
 * The package is loaded here and not before: its binary may be missing.
 */
export async function connectSqlite3(file: string, options: { readOnly: boolean }): Promise<SqliteConnection> {
  // CommonJS: `default` is its `module.exports`, both in Node and in the bundle.
  const sqlite3: Sqlite3 = (await import('sqlite3')).default;
  const mode = options.readOnly ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE;
  const database = await new Promise<Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, mode, error => (error ? reject(error) : resolve(opened)));
  });
  database.configure('busyTimeout', BUSY_TIMEOUT_MS);
  return new Sqlite3Connection(database);
}

class Sqlite3Connection implements SqliteConnection {
  readonly #database: Database;
  readonly #prepared = new PreparedStatements<Statement>(MAX_PREPARED);

  constructor(database: Database) {
    this.#database = database;
  }

  async execute<Row>(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>> {
    if (!isReusable(sql)) {
      const statement = await prepare(this.#database, sql);
      try {
        return await step<Row>(statement, sql, parameters);
      } finally {
        await finalize(statement);
      }
    }
    return step<Row>(await this.#statement(sql), sql, parameters);
  }

  async close(): Promise<void> {
    await Promise.all(this.#prepared.drain().map(finalize));
    await new Promise<void>((resolve, reject) => {
      this.#database.close(error => (error ? reject(error) : resolve()));
    });
  }

  async #statement(sql: string): Promise<Statement> {
    const known = this.#prepared.get(sql);
    if (known) {
      return known;
    }
    const statement = await prepare(this.#database, sql);
    const givenWay = this.#prepared.keep(sql, statement);
    if (givenWay) {
      await finalize(givenWay);
    }
    return statement;
  }
}

function prepare(database: Database, sql: string): Promise<Statement> {
  return new Promise((resolve, reject) => {
    const statement = database.prepare(sql, (error: Error | null) => (error ? reject(error) : resolve(statement)));
  });
}

function step<Row>(statement: Statement, sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>> {
  return new Promise((resolve, reject) => {
    if (returnsRows(sql)) {
      statement.all<Row>([...parameters], (error, rows) => (error ? reject(error) : resolve({ rows, changes: 0 })));
    } else {
      statement.run([...parameters], function (error) {
        return error ? reject(error) : resolve({ rows: [], changes: this.changes });
      });
    }
  });
}

function finalize(statement: Statement): Promise<void> {
  return new Promise(resolve => {
    statement.finalize(() => resolve());
  });
}
