import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { disposable } from '../core/disposable.ts';
import type { Disposable } from '../core/disposable.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { LineSplitter } from './lineSplitter.ts';
import type { JournalLine } from './lineSplitter.ts';

export interface TailEnd {
  /** Undefined when the program ended without a word: it was killed together with its script. */
  exitCode: number | undefined;
  /** What the program wrote after its last newline; torn, when it died writing. */
  rest: string;
}

export interface TailOptions {
  /** Start of a line, in bytes. */
  fromOffset: number;
  /** Whole lines in order, none twice. The next come when the promise is resolved: a slow taker holds nothing in memory. */
  onLines(lines: JournalLine[]): void | Promise<void>;
  /** Once, after the last line. Nothing comes after it. */
  onEnd(end: TailEnd): void;
  /**
   * Once, and nothing comes after it: `onLines` threw, the sandbox is gone, or (`journal_lost`) what was read already is
   * no longer in the file, so that nothing behind it can be trusted. What may pass is tried again instead.
   */
  onError(error: SandpiperError): void;
}

/** What a tail follows. */
export interface TailSource {
  sandbox: Pick<Sandbox, 'readFrom' | 'watch'>;
  /** The output, inside the sandbox. */
  path: string;
  /** Its appearance is the sign to look for the end. */
  exitPath: string;
  exit(): Promise<{ code: number } | undefined>;
  alive(): Promise<boolean>;
}

const CHUNK_BYTES = 256 * 1024;
/** How often to ask whether the program still lives when it is silent: nobody writes an exit file for the killed. */
const ALIVE_CHECK_MS = 2_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** Follows the output of an agent from a byte offset on until it ends or until it is disposed. */
export function followJournal(source: TailSource, options: TailOptions): Disposable {
  const tail = new JournalTail(source, options);
  return disposable(() => tail.stop());
}

class JournalTail {
  readonly #source: TailSource;
  readonly #options: TailOptions;
  readonly #splitter: LineSplitter;
  readonly #watches: Disposable[];
  readonly #aliveTimer: NodeJS.Timeout;
  #stopped = false;
  #running = false;
  #again = false;
  #lookForExit = true;
  #askAlive = false;
  /** At first too: the file may have changed since the offset was stored. */
  #compare = true;
  #retryMs = RETRY_MIN_MS;

  constructor(source: TailSource, options: TailOptions) {
    this.#source = source;
    this.#options = options;
    this.#splitter = new LineSplitter(options.fromOffset);
    this.#watches = [
      source.sandbox.watch(source.path, () => this.#wake()),
      source.sandbox.watch(source.exitPath, () => {
        this.#lookForExit = true;
        this.#wake();
      }),
    ];
    this.#aliveTimer = setInterval(() => {
      this.#askAlive = true;
      this.#compare = true;
      this.#wake();
    }, ALIVE_CHECK_MS).unref();
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#aliveTimer);
    this.#watches.forEach(watch => watch.dispose());
  }

  #wake(): void {
    this.#again = true;
    if (!this.#running && !this.#stopped) {
      this.#running = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#round();
      }
    } catch (error) {
      this.#fail(toSandpiperError(error));
    } finally {
      this.#running = false;
    }
  }

  /** The end is looked for before the output is read: what was written before it is then all there. */
  async #round(): Promise<void> {
    let end: Omit<TailEnd, 'rest'> | undefined;
    try {
      end = await this.#readEnd();
      if (this.#compare) {
        await this.#requireRead();
        this.#compare = false;
      }
    } catch (error) {
      return this.#retry(error);
    }
    if ((await this.#drain(end !== undefined)) && end !== undefined && !this.#stopped) {
      this.stop();
      this.#options.onEnd({ ...end, rest: this.#splitter.rest });
    }
  }

  async #readEnd(): Promise<Omit<TailEnd, 'rest'> | undefined> {
    if (this.#askAlive) {
      this.#askAlive = false;
      if (!(await this.#source.alive())) {
        return { exitCode: (await this.#source.exit())?.code };
      }
    }
    if (this.#lookForExit) {
      this.#lookForExit = false;
      const exit = await this.#source.exit();
      return exit === undefined ? undefined : { exitCode: exit.code };
    }
    return undefined;
  }

  /** A file that was cut or replaced would be silent for ever: nothing comes at the offset. */
  async #requireRead(): Promise<void> {
    const { offset, endsLine } = this.#splitter;
    if (offset === 0) {
      return;
    }
    const { data, missing } = await this.#source.sandbox.readFrom(this.#source.path, offset - 1, 1);
    const isSame = data.length === 1 && (!endsLine || data.toString('latin1') === '\n');
    if (!isSame && !this.#stopped) {
      const what = missing ? 'is gone' : data.length === 0 ? 'was cut' : 'was replaced';
      throw new SandpiperError(
        'journal_lost',
        `The journal of the agent ${what}: what it writes can no longer be read.`,
        {
          hint: 'Recover goes on with the same conversation in another agent.',
        },
      );
    }
  }

  /**
   * Reads to the end of the file; false when it could not. While the program lives less than was asked for is the end for
   * now: what is written after it wakes the tail again. Only the last end must be seen to be one.
   */
  async #drain(isLast: boolean): Promise<boolean> {
    while (!this.#stopped) {
      let data: Buffer;
      try {
        ({ data } = await this.#source.sandbox.readFrom(this.#source.path, this.#splitter.offset, CHUNK_BYTES));
        if (data.length === 0) {
          // Woken for nothing: the file may have become shorter, which is seen only until it has grown again.
          await this.#requireRead();
        }
      } catch (error) {
        this.#retry(error);
        return false;
      }
      this.#retryMs = RETRY_MIN_MS;
      if (this.#stopped || data.length === 0) {
        return !this.#stopped;
      }
      const lines = this.#splitter.push(data);
      if (lines.length > 0) {
        await this.#options.onLines(lines);
      }
      if (!isLast && data.length < CHUNK_BYTES) {
        return !this.#stopped;
      }
    }
    return false;
  }

  #retry(thrown: unknown): void {
    const error = toSandpiperError(thrown);
    if (!error.retryable) {
      throw error;
    }
    // Whatever was being looked for is looked for again.
    this.#lookForExit = true;
    setTimeout(() => this.#wake(), this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  #fail(error: SandpiperError): void {
    if (!this.#stopped) {
      this.stop();
      this.#options.onError(error);
    }
  }
}
