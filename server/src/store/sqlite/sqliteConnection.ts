export type SqliteValue = string | number | bigint | Uint8Array | null;

export interface SqliteResult<Row> {
  /** Empty for a statement that returns none. */
  rows: Row[];
  /** Rows that a writing statement changed. */
  changes: number;
}

/**
 * One connection to one SQLite file, whichever package it comes from. Statements are given one at a time: the next one
 * only after the last one has settled. Failures carry SQLite's own code (see sqliteErrors.ts).
 */
export interface SqliteConnection {
  execute<Row>(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>>;
  close(): Promise<void>;
}

export type ConnectSqlite = (file: string, options: { readOnly: boolean }) => Promise<SqliteConnection>;

/** How long a statement waits for a lock that another process holds. */
export const BUSY_TIMEOUT_MS = 2000;

/** How many prepared statements a connection keeps. */
export const MAX_PREPARED = 64;

/** Statements worth keeping prepared; schema changes and pragmas run once. */
export function isReusable(sql: string): boolean {
  return /^\s*(select|insert|update|delete|with|begin|commit|rollback)\b/i.test(sql);
}

/** Whether a statement answers with rows rather than with a count. */
export function returnsRows(sql: string): boolean {
  return /^\s*(select|with|pragma|explain)\b/i.test(sql) || /\breturning\b/i.test(sql);
}
