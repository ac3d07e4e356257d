import type { Duplex } from 'node:stream';

/**
 * Gathers what one turn of the event loop writes to a socket into one system call: a commit of many sessions, or the rows of
 * a list, are many frames. Nothing waits: it goes out before the event loop takes anything else up.
 */
export class GatheredWrites {
  readonly #socket: Duplex;
  #gathering = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** To be called before a write. */
  begin(): void {
    if (this.#gathering) {
      return;
    }
    this.#gathering = true;
    this.#socket.cork();
    // After all promises that are settled by now, so that what they write is with it.
    process.nextTick(() => {
      this.#gathering = false;
      this.#socket.uncork();
    });
  }
}
