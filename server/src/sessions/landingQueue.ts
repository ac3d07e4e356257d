/** One landing of a session at a time: two at once would both find no pull request and open one each. */
export class LandingQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<Result>(sessionId: string, action: () => Promise<Result>): Promise<Result> {
    const result = (this.#tails.get(sessionId) ?? Promise.resolve()).then(action);
    const tail = result
      .catch(() => {})
      .then(() => {
        if (this.#tails.get(sessionId) === tail) {
          this.#tails.delete(sessionId);
        }
      });
    this.#tails.set(sessionId, tail);
    return result;
  }
}
