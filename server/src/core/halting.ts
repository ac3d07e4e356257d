import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs something that a person may stop at any moment: every program that it starts, however deep below, is ended when the
 * signal is given. Carried by the asynchronous context, so that no layer between has to hand it on or can forget to.
 */
export function runHalting<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  return storage.run(signal, action);
}

/** The signal of what is being run, if any. */
export function haltSignal(): AbortSignal | undefined {
  return storage.getStore();
}

/** Runs one thing at a time that a person may stop. */
export class HaltSwitch {
  #controller: AbortController | undefined;

  async run<T>(action: () => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#controller = controller;
    try {
      return await runHalting(controller.signal, action);
    } finally {
      this.#controller = undefined;
    }
  }

  /** Ends what is being run, at once; nothing when nothing is. */
  halt(reason: Error): void {
    this.#controller?.abort(reason);
  }
}
