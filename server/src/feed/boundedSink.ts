/** Where frames for one client go. */
export interface Sink {
  /** More waits for the network than one client may hold back: send nothing that the store can give again. */
  readonly full: boolean;
  send(bytes: Buffer): void;
  /** True as soon as there is room again, false when the client is gone. */
  drained(): Promise<boolean>;
}

export interface SinkLimits {
  highWaterBytes: number;
  /** A full sink from which the network took nothing for this long is given up. */
  stallTimeoutMs: number;
}

export interface SinkTarget {
  /** Hands bytes to the network and calls `done` once it has taken them, or once it is gone. */
  write(bytes: Buffer, done: () => void): void;
  onFull(): void;
  onDrained(): void;
  /** Called at most once. */
  onStalled(): void;
}

/**
 * Counts what a client has not taken yet. Nothing is queued here: whoever sends looks at `full` first, which is what
 * keeps the relay's memory flat while a client sleeps.
 */
export class BoundedSink implements Sink {
  readonly #limits: SinkLimits;
  readonly #target: SinkTarget;
  #waitingBytes = 0;
  #lastTakenAt = 0;
  #full = false;
  #closed = false;
  #waiters: ((open: boolean) => void)[] = [];
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(limits: SinkLimits, target: SinkTarget) {
    this.#limits = limits;
    this.#target = target;
  }

  get full(): boolean {
    return this.#full;
  }

  send(bytes: Buffer): void {
    if (this.#closed) {
      return;
    }
    this.#waitingBytes += bytes.length;
    if (!this.#full && this.#waitingBytes >= this.#limits.highWaterBytes) {
      this.#full = true;
      this.#lastTakenAt = Date.now();
      this.#watchStall(this.#limits.stallTimeoutMs);
      this.#target.onFull();
    }
    this.#target.write(bytes, () => this.#taken(bytes.length));
  }

  drained(): Promise<boolean> {
    if (this.#closed || !this.#full) {
      return Promise.resolve(!this.#closed);
    }
    return new Promise(resolve => this.#waiters.push(resolve));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#stallTimer);
    this.#wake(false);
  }

  #taken(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#lastTakenAt = Date.now();
    if (this.#full && !this.#closed && this.#waitingBytes <= this.#limits.highWaterBytes / 4) {
      this.#full = false;
      clearTimeout(this.#stallTimer);
      this.#target.onDrained();
      this.#wake(true);
    }
  }

  #wake(open: boolean): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) {
      resolve(open);
    }
  }

  #watchStall(delayMs: number): void {
    this.#stallTimer = setTimeout(() => {
      const silentMs = Date.now() - this.#lastTakenAt;
      if (silentMs >= this.#limits.stallTimeoutMs) {
        this.#target.onStalled();
      } else {
        this.#watchStall(this.#limits.stallTimeoutMs - silentMs);
      }
    }, delayMs);
  }
}
