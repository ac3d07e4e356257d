import { SandpiperError } from '../../../../protocol/errors.ts';
import { disposable } from '../../core/disposable.ts';
import type { Disposable } from '../../core/disposable.ts';
import { WATCH_SCRIPT } from './fileScript.ts';
import type { RunScript } from './remoteFiles.ts';

/** How often the sandbox looks by itself, and how long one such program runs: connections that are idle for long get cut. */
const PAUSE_SECONDS = '0.1';
const ROUNDS = 100;
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;

/**
 * Watches the files of one sandbox with one program in it, which looks at all of them and ends when one has changed: so a
 * change is told as soon as the way takes, and a quiet file costs the way nothing.
 */
export class RemoteWatches {
  readonly #run: RunScript;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #seen = new Map<string, string>();
  /** Of the program that looks now; another set of files needs another one. */
  #looking: AbortController | undefined;

  constructor(run: RunScript) {
    this.#run = run;
  }

  add(path: string, onChange: () => void): Disposable {
    const call = () => onChange();
    const others = this.#listeners.get(path);
    if (others) {
      others.add(call);
    } else {
      this.#listeners.set(path, new Set([call]));
      this.#restart();
    }
    return disposable(() => this.#remove(path, call));
  }

  #remove(path: string, call: () => void): void {
    const listeners = this.#listeners.get(path);
    if (listeners?.delete(call) === true && listeners.size === 0) {
      this.#listeners.delete(path);
      this.#seen.delete(path);
      this.#restart();
    }
  }

  #restart(): void {
    this.#looking?.abort();
    this.#looking = undefined;
    if (this.#listeners.size > 0) {
      const controller = new AbortController();
      this.#looking = controller;
      void this.#look(controller.signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    let last = '';
    let retryMs = RETRY_MIN_MS;
    // Two watches are mostly begun in one go.
    await Promise.resolve();
    while (!signal.aborted) {
      try {
        const { stdout } = await this.#run(
          WATCH_SCRIPT,
          [String(ROUNDS), PAUSE_SECONDS, last, ...this.#listeners.keys()],
          { timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES, signal },
        );
        retryMs = RETRY_MIN_MS;
        last = stdout.toString();
        if (!signal.aborted) {
          this.#tell(last);
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        // Whoever is told looks for himself, and finds that the sandbox is gone if it is.
        this.#tellAll();
        if (error instanceof SandpiperError && error.code === 'sandbox_gone') {
          retryMs = RETRY_MAX_MS;
        }
        await pause(retryMs, signal);
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      }
    }
  }

  #tell(listing: string): void {
    const lines = listing.split('\n');
    for (const [path, listeners] of this.#listeners) {
      const now = lines.find(line => line.endsWith(` ${path}`)) ?? '';
      if (now !== (this.#seen.get(path) ?? '')) {
        this.#seen.set(path, now);
        listeners.forEach(call => call());
      }
    }
  }

  #tellAll(): void {
    for (const listeners of this.#listeners.values()) {
      listeners.forEach(call => call());
    }
  }
}

/** Does not keep the process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms).unref();
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
