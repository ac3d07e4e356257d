import { toError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';

/** Longer waits are cut, and the round is asked again: a clock may be set meanwhile. */
const MAX_WAIT_MS = 60_000;
/** How long the end of the relay waits for a round. */
const CLOSE_WAIT_MS = 3_000;
/** After a failure of the round itself, such as a store that is full. */
const FAILED_WAIT_MS = 2_000;

/**
 * Has a round of work done again and again, one at a time: when it is nudged, and when the round said that something is due.
 */
export class Pump {
  readonly #round: () => Promise<number | undefined>;
  readonly #log: Logger;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param round does what is due and returns when the next thing is, in milliseconds since the epoch */
  constructor(round: () => Promise<number | undefined>, log: Logger) {
    this.#round = round;
    this.#log = log;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  nudge(): void {
    if (this.#closed) {
      return;
    }
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.nudge();
      }
    });
  }

  /**
   * Resolves when the round that is under way has ended, or soon: one that waits for a forge that does not answer is broken
   * off like by a kill, and the next relay does what is missing.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, CLOSE_WAIT_MS);
    });
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    let dueAt: number | undefined;
    try {
      dueAt = await this.#round();
    } catch (error) {
      this.#log.log('error', 'hooks', `A round of work on a forge failed: ${toError(error).message}`);
      dueAt = Date.now() + FAILED_WAIT_MS;
    }
    if (dueAt !== undefined && !this.#closed) {
      const waitMs = Math.min(Math.max(0, dueAt - Date.now()), MAX_WAIT_MS);
      this.#timer = setTimeout(() => this.nudge(), waitMs).unref();
    }
  }
}
