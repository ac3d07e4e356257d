import { setTimeout as pause } from 'node:timers/promises';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { toSandboxError, VendorFailure, type VendorNames } from './vendorFailure.ts';
import { BREAKER_WHOLE, breakerAfter, breakerAllows, retryPauseMs } from './vendorRetry.ts';

/**
 * The line to a vendor, or to one sandbox there: repeats what may be repeated, and leaves alone what does not answer. A
 * sandbox has a line of its own, so that one that is broken does not keep the others from being reached.
 */
export class VendorLine {
  readonly names: VendorNames;
  #breaker = BREAKER_WHOLE;

  constructor(names: VendorNames) {
    this.names = names;
  }

  /** Another line to the same vendor. */
  toSandbox(): VendorLine {
    return new VendorLine(this.names);
  }

  /**
   * Does something that is safe to repeat.
   * @param wake brings the sandbox back when it sleeps; then it is done once more
   * @throws a SandpiperError for every VendorFailure that stays
   */
  async call<T>(
    action: () => Promise<T>,
    options: { wake?: () => Promise<void>; signal?: AbortSignal } = {},
  ): Promise<T> {
    let woken = false;
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.#once(action);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!(error instanceof VendorFailure)) {
          throw error;
        }
        if (error.kind === 'asleep' && options.wake && !woken) {
          woken = true;
          await this.call(options.wake);
          continue;
        }
        const pauseMs = retryPauseMs(error, attempts, Math.random());
        if (pauseMs === undefined) {
          throw toSandboxError(error, this.names);
        }
        await pause(pauseMs, undefined, options.signal ? { signal: options.signal } : {});
      }
    }
  }

  async #once<T>(action: () => Promise<T>): Promise<T> {
    if (!breakerAllows(this.#breaker, Date.now())) {
      throw new SandpiperError('sandbox_unavailable', `${this.names.vendor} has not answered several times.`, {
        hint: 'It is tried again in a few seconds. Or use another kind of sandbox.',
      });
    }
    try {
      const result = await action();
      this.#breaker = breakerAfter(this.#breaker, undefined, Date.now());
      return result;
    } catch (error) {
      if (error instanceof VendorFailure) {
        this.#breaker = breakerAfter(this.#breaker, error.kind, Date.now());
      }
      throw error;
    }
  }
}
