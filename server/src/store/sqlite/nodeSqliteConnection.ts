import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
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

/** Connects through `node:sqlite`, which needs no binary of its own but runs statements on the event loop. */
export async function connectNodeSqlite(file: string, options: { readOnly: boolean }): Promise<SqliteConnection> {
  const { DatabaseSync } = await import('node:sqlite');
  return new NodeSqliteConnection(
    new DatabaseSync(file, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true }),
  );
}

class NodeSqliteConnection implements SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new PreparedStatements<StatementSync>(MAX_PREPARED);

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async execute<Row>(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>> {
    if (!this.#database.isTransaction) {
      // Everything else here is a microtask: without this a loop of awaited appends would starve the event loop.
      await setImmediate();
    }
    const statement = this.#statement(sql);
    if (!returnsRows(sql)) {
      return { rows: [], changes: Number(statement.run(...parameters).changes) };
    }
    // Its rows have no prototype, which tells them apart from the plain objects that every reader expects.
    const rows = statement.all(...parameters).map(row => ({ ...row }));
    // The row type is the query's own claim, as with every driver of the query layer.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { rows: rows as Row[], changes: 0 };
  }

  close(): Promise<void> {
    this.#prepared.drain();
    this.#database.close();
    return Promise.resolve();
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) {
      return known;
    }
    const statement = this.#database.prepare(sql);
    if (isReusable(sql)) {
      this.#prepared.keep(sql, statement);
    }
    return statement;
  }
}
