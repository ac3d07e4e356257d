import { toSandpiperError } from '../../../protocol/errors.ts';
import type { Dependencies } from './dependencies.ts';
import { removeLeft } from './removeSandboxes.ts';
import type { SessionLog } from './sessionLog.ts';

/** A provider that cannot be asked to remove a sandbox is asked again after this, then after twice as long, and so on. */
const AGAIN_MS = 15_000;
const AGAIN_MAX_MS = 3_600_000;

/** Removes the sandboxes that moves of a session left behind. Nobody waits for it: where it fails it is tried again in a while. */
export class LeftTidying {
  readonly #dependencies: Dependencies;
  readonly #log: SessionLog;
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** By a clock that nobody sets. */
  #dueAt = 0;
  #againMs = AGAIN_MS;

  /** @param onDue called when `tidy` should be tried again */
  constructor(dependencies: Dependencies, log: SessionLog, onDue: () => void) {
    this.#dependencies = dependencies;
    this.#log = log;
    this.#onDue = onDue;
  }

  /** @returns whether nothing is left */
  async tidy(): Promise<boolean> {
    if (performance.now() < this.#dueAt) {
      return false;
    }
    try {
      await removeLeft(this.#dependencies, this.#log);
      this.#againMs = AGAIN_MS;
      return true;
    } catch (error) {
      const fields = { sessionId: this.#log.state.id, error: toSandpiperError(error).message };
      this.#dependencies.log.log('warn', 'session', 'What a move left behind could not be removed', fields);
      this.#dueAt = performance.now() + this.#againMs;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#onDue, this.#againMs + 1).unref();
      this.#againMs = Math.min(2 * this.#againMs, AGAIN_MAX_MS);
      return false;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
