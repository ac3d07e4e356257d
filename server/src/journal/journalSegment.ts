import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { Disposable } from '../core/disposable.ts';
import type { Sandbox, StartOptions } from '../sandboxes/provider.ts';
import { followJournal } from './journalTail.ts';
import type { TailOptions } from './journalTail.ts';

const SCRIPT = 'agent-run.sh';
/** A code has three digits; what is longer was not written by the script. */
const EXIT_BYTES = 16;
const TAIL_TIMEOUT_MS = 5_000;
/** The script's text, and what puts it into its file: where a file costs a journey it comes along with the start. */
const LOADED = 'SANDPIPER_AGENT_RUN';
const LOADER = `path=$1; shift
mkdir -p "\${path%/*}" && printf '%s\n' "$${LOADED}" >"$path" || exit 73
unset ${LOADED}
exec /bin/sh "$path" "$@"`;

/**
 * The files through which the relay and one process of an agent talk: `agent-run.sh` says which. Nothing of it is in
 * memory, so a relay that comes back makes this object again from the same names.
 */
export class JournalSegment {
  readonly #sandbox: Sandbox;
  readonly #name: string;
  readonly #folder: string;
  readonly #inputs: string;
  readonly #epoch: string;

  /**
   * @param name of the process, unique in the sandbox
   * @param folder of this segment inside the sandbox, below `paths.journal`; each segment has its own
   * @param epoch of the relay: once a higher one has claimed the segment, what this one writes is not read
   */
  constructor(sandbox: Sandbox, name: string, folder: string, epoch: number) {
    this.#sandbox = sandbox;
    this.#name = name;
    this.#folder = folder;
    // The script compares the names as text.
    this.#epoch = String(epoch).padStart(10, '0');
    this.#inputs = `${folder}/in/${this.#epoch}`;
  }

  /**
   * Starts the program; it outlives the relay. A segment runs a program once: starting it again after that does nothing.
   * Under a higher epoch's claim nothing is started.
   * @throws `conflict` while it runs
   */
  async start(argv: readonly string[], options: StartOptions): Promise<void> {
    const path = `${this.#folder}/${SCRIPT}`;
    const script = await readScript();
    const words = [this.#folder, this.#epoch, '--', ...argv];
    if (!this.#sandbox.hostMounts) {
      const env = { ...options.env, [LOADED]: script.toString() };
      return this.#sandbox.start(this.#name, ['/bin/sh', '-c', LOADER, SCRIPT, path, ...words], { ...options, env });
    }
    await this.#sandbox.writeFile(path, script);
    await this.claim();
    await this.#sandbox.start(this.#name, ['/bin/sh', path, ...words], options);
  }

  /**
   * Makes this relay the only one that the program hears, also when it was started by another. Inputs that an earlier
   * relay wrote may be unread: every one is to be written again.
   */
  async claim(): Promise<void> {
    await this.#put('claim', '');
  }

  /** Gives the program a line (an `AgentInput` of the store, durable there before). The same input again is harmless, whether or not the program had it. */
  async write(input: { number: number; line: string }): Promise<void> {
    if (!Number.isSafeInteger(input.number) || input.number < 1) {
      throw new SandpiperError('invalid_params', `The inputs of an agent are numbered from 1, not ${input.number}.`);
    }
    const name = String(input.number).padStart(6, '0');
    await this.#put(name, input.line);
  }

  /** Ends the program's input, after every line that was written. */
  async writeEof(): Promise<void> {
    await this.#put('eof', '');
  }

  /** Undefined while it runs, before it started, and when it was killed with its script. */
  async exit(): Promise<{ code: number } | undefined> {
    const { data } = await this.#sandbox.readFrom(`${this.#folder}/exit`, 0, EXIT_BYTES);
    const text = data.toString('latin1');
    return /^\d{1,3}\n$/.test(text) ? { code: Number(text) } : undefined;
  }

  async alive(): Promise<boolean> {
    return this.#sandbox.alive(this.#name);
  }

  /** Kills the program and all that it started, at once. */
  async kill(): Promise<void> {
    await this.#sandbox.kill(this.#name);
  }

  /** The end of what the program wrote to stderr, for a person. */
  async errTail(maxBytes: number): Promise<string> {
    const { stdout } = await this.#sandbox.exec(['tail', '-c', String(maxBytes), `${this.#folder}/err`], {
      timeoutMs: TAIL_TIMEOUT_MS,
      maxOutputBytes: maxBytes + 4096,
    });
    return stdout.toString();
  }

  /** Follows what the program writes to stdout. For a program that was started: one that never was is taken for dead. */
  follow(options: TailOptions): Disposable {
    const source = {
      sandbox: this.#sandbox,
      path: `${this.#folder}/out`,
      exitPath: `${this.#folder}/exit`,
      exit: async () => this.exit(),
      alive: async () => this.alive(),
    };
    return followJournal(source, options);
  }

  async #put(name: string, text: string): Promise<void> {
    await this.#sandbox.writeFile(`${this.#inputs}/${name}`, Buffer.from(text), { mode: 0o600 });
    await this.#sandbox.wake(`${this.#folder}/wake`);
  }
}

/** The script lies beside this module, and beside the bundle. */
async function readScript(): Promise<Buffer> {
  const path = join(import.meta.dirname, SCRIPT);
  try {
    return await readFile(path);
  } catch (error) {
    throw new SandpiperError('internal', `A part of Sandpiper is missing: ${toError(error).message}.`, {
      hint: 'Install Sandpiper again.',
      cause: error,
    });
  }
}
