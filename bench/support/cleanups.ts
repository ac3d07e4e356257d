type Cleanup = () => Promise<unknown> | void;

/** What must be undone, also after a failure or an interruption. */
export class Cleanups {
  #waiting: Cleanup[] = [];

  add(cleanup: Cleanup): void {
    this.#waiting.push(cleanup);
  }

  /** Undoes the last first. One that fails does not keep the others from running. */
  async run(): Promise<void> {
    for (let cleanup = this.#waiting.pop(); cleanup; cleanup = this.#waiting.pop()) {
      try {
        await cleanup();
      } catch (error) {
        console.error('bench: something could not be cleaned up:', error);
      }
    }
  }
}
