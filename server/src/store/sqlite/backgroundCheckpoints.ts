import { toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { SqliteConnection } from './sqliteConnection.ts';

/** Rows, indexes and the session's own row that an append changes, besides the pages that its text fills. */
const PAGES_PER_APPEND = 4;
const PAGE_CHARACTERS = 4096;
const PAGES = 1000;

/**
 * Moves the write-ahead log into the database file while the writer goes on. Done by the writer, as SQLite does it by
 * itself, this keeps every session waiting for two fsyncs of the disk; here nobody waits. The writer still does it when
 * this falls behind, so the log stays bounded; what is left for it is little then.
 */
export class BackgroundCheckpoints {
  readonly #connect: () => Promise<SqliteConnection>;
  readonly #log: Logger;
  #connection: Promise<SqliteConnection> | undefined;
  #running: Promise<void> | undefined;
  #pages = 0;
  #closed = false;

  /** @param connect to the same file, for writing; called when the first checkpoint is due */
  constructor(connect: () => Promise<SqliteConnection>, log: Logger) {
    this.#connect = connect;
    this.#log = log;
  }

  /** To be called after every transaction. */
  wrote(appends: number, characters: number): void {
    this.#pages += appends * PAGES_PER_APPEND + characters / PAGE_CHARACTERS;
    if (this.#pages >= PAGES && !this.#running && !this.#closed) {
      this.#pages = 0;
      this.#running = this.#checkpoint().finally(() => (this.#running = undefined));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** Never fails anything: what keeps it from working, the writer finds out too and says. */
  async #checkpoint(): Promise<void> {
    try {
      this.#connection ??= this.#connect();
      const connection = await this.#connection;
      await connection.execute('pragma wal_checkpoint(passive)', []);
    } catch (error) {
      this.#connection = undefined;
      this.#log.log('debug', 'store', 'A checkpoint failed', { cause: toError(error).message });
    }
  }
}
