import { groupSize, type PreparedAppend, type Verdict } from './groupCommit.ts';

/** Writes a group and answers with a verdict for each of its appends. */
export type WriteGroup = (group: readonly PreparedAppend[]) => Promise<readonly Verdict[]>;

interface Waiting {
  append: PreparedAppend;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const LIMITS = { appends: 500, characters: 4 * 1024 * 1024 };

/**
 * Collects the appends that arrive while a transaction runs into the next one. An append is written alone when its group
 * failed through the fault of one that nobody can name (`isFaultOfOne`), so that the others do not fail with it.
 */
export class AppendQueue {
  readonly #write: WriteGroup;
  readonly #isFaultOfOne: (error: unknown) => boolean;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(write: WriteGroup, isFaultOfOne: (error: unknown) => boolean) {
    this.#write = write;
    this.#isFaultOfOne = isFaultOfOne;
  }

  /** Resolves when the append is durable. */
  push(append: PreparedAppend): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ append, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#running) {
      await this.#running;
    }
  }

  async #run(): Promise<void> {
    // What the same tick pushes belongs to the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const count = groupSize(
        this.#waiting.slice(0, LIMITS.appends).map(({ append }) => append),
        LIMITS,
      );
      const group = this.#waiting.slice(0, count);
      this.#waiting = this.#waiting.slice(count);
      await this.#writeGroup(group);
    }
    this.#running = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = await this.#write(group.map(({ append }) => append));
      group.forEach(({ resolve, reject }, index) => {
        const verdict = verdicts[index];
        if (verdict?.kind === 'accepted') {
          resolve();
        } else {
          reject(verdict?.error ?? new Error('A group was written without a verdict for each append'));
        }
      });
    } catch (error) {
      if (group.length > 1 && this.#isFaultOfOne(error)) {
        for (const one of group) {
          await this.#writeGroup([one]);
        }
        return;
      }
      group.forEach(({ reject }) => reject(error));
    }
  }
}
