import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { SqliteConnection, SqliteValue } from './sqliteConnection.ts';

/**
 * A Kysely dialect over one open connection. Whoever holds the connection (a query, or a whole transaction) keeps the
 * others waiting in order, so transactions are to be short and free of other I/O.
 */
export function sqliteDialect(connection: SqliteConnection): Dialect {
  return {
    createDriver: () => new SingleConnectionDriver(connection),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: db => new SqliteIntrospector(db),
  };
}

/** SQLite changes its schema in transactions, so a migration that dies leaves the old schema. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SingleConnectionDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #shared: DatabaseConnection;
  readonly #waiting: (() => void)[] = [];
  #held = false;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#shared = {
      executeQuery: query => executeQuery(connection, query),
      streamQuery: () => {
        throw new Error('The store reads in pages: streams would hold its only connection.');
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#held) {
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    this.#held = true;
    return this.#shared;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next) {
      next();
    } else {
      this.#held = false;
    }
  }

  /** Takes the write lock at once: a transaction that reads first and locks later could fail halfway as busy. */
  async beginTransaction(): Promise<void> {
    await this.#connection.execute('begin immediate', []);
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.execute('commit', []);
  }

  async rollbackTransaction(): Promise<void> {
    // SQLite has already rolled back after some failures (a full disk); the second one then fails, which is harmless.
    await this.#connection.execute('rollback', []).catch(() => {});
  }

  async destroy(): Promise<void> {
    await this.acquireConnection();
    await this.#connection.close();
  }
}

async function executeQuery<Row>(connection: SqliteConnection, query: CompiledQuery): Promise<QueryResult<Row>> {
  const { rows, changes } = await connection.execute<Row>(query.sql, query.parameters.map(toSqliteValue));
  return { rows, numAffectedRows: BigInt(changes) };
}

function toSqliteValue(value: unknown): SqliteValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    default:
      if (value === null || value === undefined) {
        return null;
      }
      if (value instanceof Uint8Array) {
        return value;
      }
      throw new TypeError('SQLite stores text, numbers, bytes and null only');
  }
}
