/** Prepared statements by their SQL; the one that was used longest ago gives way. */
export class PreparedStatements<Statement> {
  readonly #statements = new Map<string, Statement>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(sql: string): Statement | undefined {
    const statement = this.#statements.get(sql);
    if (statement !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Keeps a statement; returns the one that gave way, for its owner to finalize. */
  keep(sql: string, statement: Statement): Statement | undefined {
    this.#statements.set(sql, statement);
    if (this.#statements.size <= this.#max) {
      return undefined;
    }
    const [oldest] = this.#statements;
    if (oldest === undefined) {
      return undefined;
    }
    this.#statements.delete(oldest[0]);
    return oldest[1];
  }

  /** Forgets and returns every statement. */
  drain(): Statement[] {
    const statements = [...this.#statements.values()];
    this.#statements.clear();
    return statements;
  }
}
