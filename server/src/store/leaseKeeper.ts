import { toSandpiperError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Ownership } from '../core/ownership.ts';
import type { Store } from './store.ts';

export interface LeaseKeeperOptions {
  store: Store;
  epoch: number;
  /** Without a sign of life for so long, another relay may take over. */
  leaseMs: number;
  log: Logger;
  /** Whether the lock of the data folder is held; tries to get it where it is not. */
  locked(): Promise<boolean>;
  /** A clock that is never set. Milliseconds. */
  clock?: () => number;
}

/** Keeps the lease of a store alive, and knows at any moment whether that may have failed. */
export class LeaseKeeper implements Ownership {
  readonly epoch: number;
  readonly #options: LeaseKeeperOptions;
  readonly #clock: () => number;
  readonly #timer: NodeJS.Timeout;
  /** When the last renewal that succeeded was begun. */
  #renewedAt: number;
  #renewing: Promise<void> | undefined;
  #failing = false;

  /** For a lease that was just taken. */
  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.epoch = options.epoch;
    this.#renewedAt = this.#clock();
    this.#timer = setInterval(() => void this.#beat(), options.leaseMs / 4).unref();
  }

  /** Whoever measures our silence begins after our last renewal, so until a lease's time after it there is nobody else. */
  async confirm(): Promise<void> {
    if (this.#clock() - this.#renewedAt < this.#options.leaseMs * 0.75) {
      return;
    }
    try {
      await this.#renew();
    } catch (error) {
      const failure = toSandpiperError(error);
      // A full disk keeps everybody from writing: then nobody has taken over whom the row does not name.
      const row = failure.code === 'fenced' ? undefined : await this.#options.store.readLease().catch(() => undefined);
      if (row?.epoch !== this.epoch) {
        throw failure;
      }
    }
  }

  /** Stops the signs of life and lets go. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing?.catch(() => {});
    await this.#options.store.releaseLease();
  }

  async #beat(): Promise<void> {
    try {
      await this.#renew();
      this.#failing = false;
    } catch (error) {
      const { code, message } = toSandpiperError(error);
      if (!this.#failing && code !== 'fenced') {
        this.#failing = true;
        this.#options.log.log('warn', 'store', 'The relay cannot show that it lives', { code, cause: message });
      }
    }
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  async #renewNow(): Promise<void> {
    const begun = this.#clock();
    const locked = await this.#options.locked();
    await this.#options.store.renewLease({ locked });
    this.#renewedAt = begun;
  }
}
