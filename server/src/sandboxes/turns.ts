/** Runs what concerns one thing one after the other. */
export class Turns {
  readonly #turns = new Map<string, Promise<unknown>>();

  async inTurn<T>(key: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(action, action);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) {
        this.#turns.delete(key);
      }
    }
  }
}
