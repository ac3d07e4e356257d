import { randomUUID } from 'node:crypto';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Isolation } from '../../../../protocol/events.ts';
import type { Disposable } from '../../core/disposable.ts';
import { haltSignal } from '../../core/halting.ts';
import type { Ownership } from '../../core/ownership.ts';
import { checkedName, checkedProgram } from '../programChecks.ts';
import type { ExecOptions, ExecResult, Sandbox, SandboxPaths, SandboxRef, StartOptions } from '../provider.ts';
import type { SandboxFileAccess } from '../sandboxFileAccess.ts';
import type { Turns } from '../turns.ts';
import { NO_FOLDER, PROGRAM_EXIT, PROGRAM_SCRIPT } from './programScript.ts';
import type { RemoteDriver } from './remoteDriver.ts';
import { RemoteFiles, type RunScript } from './remoteFiles.ts';

export interface RemoteSandboxParts {
  ref: SandboxRef;
  isolation: Isolation;
  paths: SandboxPaths;
  hostMounts: boolean;
  modelSocket: boolean;
  driver: RemoteDriver;
  /** PATH of the programs in it. */
  path: string;
  /** Begins the mark of every process of this sandbox; no other sandbox that shares its processes has the same. */
  mark: string;
  /** Asked before every step that another relay must not find done behind its back. */
  ownership: Ownership;
  /** Shared by all objects of one sandbox. */
  turns: Turns;
  /** Where the relay can reach the files without running programs. */
  files?: SandboxFileAccess;
  /** A quicker way to some of the files; the one that runs programs is still there for the others. */
  shortcut?: (files: SandboxFileAccess) => SandboxFileAccess;
}

const DEFAULT_MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const START_TIMEOUT_MS = 30_000;
const KILL_TIMEOUT_MS = 30_000;
const ASK_TIMEOUT_MS = 15_000;
const SMALL_BYTES = 64 * 1024;

/** A sandbox that is reached by running programs in it. Makes processes, files and watches of that one ability. */
export class RemoteSandbox implements Sandbox {
  readonly ref: SandboxRef;
  readonly isolation: Isolation;
  readonly paths: SandboxPaths;
  readonly hostMounts: boolean;
  readonly modelSocket: boolean;
  readonly #parts: RemoteSandboxParts;
  readonly #files: SandboxFileAccess;

  constructor(parts: RemoteSandboxParts) {
    this.ref = parts.ref;
    this.isolation = parts.isolation;
    this.paths = parts.paths;
    this.hostMounts = parts.hostMounts;
    this.modelSocket = parts.modelSocket;
    this.#parts = parts;
    const { workspace, home, journal } = parts.paths;
    const files = parts.files ?? new RemoteFiles(this.#runScript, [workspace, home, journal]);
    this.#files = parts.shortcut?.(files) ?? files;
  }

  async exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const { cwd = this.paths.workspace, env = {}, stdin, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
    const program = checkedProgram(argv, cwd, env);
    await this.#parts.ownership.confirm();
    // Names of programs have no colon, so this is nobody else's mark.
    const run = `:${randomUUID()}`;
    const [mark, stopped] = [this.#markOf(run), this.#recordOf(run)];
    const halt = haltSignal();
    try {
      const result = await this.#run(['exec', mark, ...this.#keep(env), stopped, cwd, ...program], {
        env,
        stdin,
        timeoutMs: options.timeoutMs,
        maxOutputBytes,
        ...(halt ? { signal: halt } : {}),
      });
      if (result.code === PROGRAM_EXIT.noFolder && result.stderr.toString() === NO_FOLDER) {
        throw new SandpiperError('invalid_params', `The folder ${cwd} to run in does not exist.`);
      }
      return result;
    } catch (error) {
      // Whatever went wrong, the program may run on, or only start now.
      await this.#kill(mark, '', stopped).catch(() => {});
      throw error;
    }
  }

  async start(name: string, argv: readonly string[], options: StartOptions): Promise<void> {
    const { cwd, env } = options;
    const program = checkedProgram(argv, cwd, env);
    const mark = this.#markOf(checkedName(name));
    await this.#inTurn(name, async () => {
      await this.#parts.ownership.confirm();
      const { code, stderr } = await this.#run(
        ['start', mark, ...this.#keep(env), this.#recordOf(name), cwd, ...program],
        { env, timeoutMs: START_TIMEOUT_MS, maxOutputBytes: SMALL_BYTES },
      );
      if (code === PROGRAM_EXIT.conflict) {
        throw new SandpiperError('conflict', `"${name}" already runs in the sandbox.`);
      }
      if (code === PROGRAM_EXIT.noFolder) {
        throw new SandpiperError('invalid_params', `The folder ${cwd} to run in does not exist.`);
      }
      if (code !== 0) {
        throw failed(`"${name}" could not be started`, code, stderr);
      }
    });
  }

  /** A sandbox that is gone has nothing alive in it. */
  async alive(name: string): Promise<boolean> {
    const record = this.#recordOf(checkedName(name));
    try {
      const { code, stderr } = await this.#run(['alive', record], {
        timeoutMs: ASK_TIMEOUT_MS,
        maxOutputBytes: SMALL_BYTES,
      });
      if (code !== 0 && code !== PROGRAM_EXIT.notAlive) {
        throw failed(`Whether "${name}" runs could not be asked`, code, stderr);
      }
      return code === 0;
    } catch (error) {
      if (error instanceof SandpiperError && error.code === 'sandbox_gone') {
        return false;
      }
      throw error;
    }
  }

  async kill(name: string): Promise<void> {
    const mark = this.#markOf(checkedName(name));
    await this.#inTurn(name, async () => {
      await this.#parts.ownership.confirm();
      await this.#kill(mark, this.#recordOf(name));
    });
  }

  /** Kills all that a relay started in it, for sandboxes that are not removed as a whole. */
  async killAll(): Promise<void> {
    await this.#kill(`${this.#parts.mark}:`, '');
  }

  /** Kills what a relay that was killed had running in passing. */
  async killPassing(): Promise<void> {
    await this.#kill(`${this.#parts.mark}::`, '');
  }

  async writeFile(path: string, data: Uint8Array, options: { mode?: number } = {}): Promise<void> {
    await this.#parts.ownership.confirm();
    await this.#files.writeFile(path, data, options.mode);
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }> {
    return this.#files.readFrom(path, offset, maxBytes);
  }

  watch(path: string, onChange: () => void): Disposable {
    return this.#files.watch(path, onChange);
  }

  async wake(fifo: string): Promise<void> {
    await this.#files.wake(fifo);
  }

  async #kill(mark: string, record: string, stopped = ''): Promise<void> {
    const { code, stderr } = await this.#run(['kill', mark, record, stopped], {
      timeoutMs: KILL_TIMEOUT_MS,
      maxOutputBytes: SMALL_BYTES,
    });
    if (code !== 0) {
      throw failed('Processes of the sandbox do not die', code, stderr);
    }
  }

  #run(
    args: readonly string[],
    options: {
      env?: Readonly<Record<string, string>>;
      stdin?: Uint8Array | undefined;
      timeoutMs: number;
      maxOutputBytes: number;
      signal?: AbortSignal;
    },
  ): Promise<ExecResult> {
    return this.#runAny(PROGRAM_SCRIPT, args, options);
  }

  readonly #runScript: RunScript = (script, args, options) => this.#runAny(script, args, options);

  async #runAny(
    script: string,
    args: readonly string[],
    options: {
      env?: Readonly<Record<string, string>>;
      stdin?: Uint8Array | undefined;
      timeoutMs: number;
      maxOutputBytes: number;
      signal?: AbortSignal;
    },
  ): Promise<ExecResult> {
    const { env = {}, stdin, maxOutputBytes } = options;
    const timeoutMs = Math.min(options.timeoutMs, MAX_TIMEOUT_MS);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(timedOut(timeoutMs)), timeoutMs);
    const onHalt = () => stop.abort(options.signal?.reason);
    if (options.signal?.aborted === true) {
      onHalt();
    }
    options.signal?.addEventListener('abort', onHalt);
    try {
      stop.signal.throwIfAborted();
      return await this.#parts.driver.run(['sh', '-c', script, 'sandpiper', ...args], {
        env: { HOME: this.paths.home, PATH: this.#parts.path, ...env },
        stdin,
        maxOutputBytes,
        signal: stop.signal,
      });
    } catch (error) {
      throw stop.signal.aborted ? toError(stop.signal.reason) : error;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onHalt);
    }
  }

  #inTurn<T>(name: string, action: () => Promise<T>): Promise<T> {
    return this.#parts.turns.inTurn(`${this.ref.id}:${name}`, action);
  }

  /** The `;` keeps the mark of one name from being the beginning of another's. */
  #markOf(name: string): string {
    return `${this.#parts.mark}:${name};`;
  }

  #recordOf(name: string): string {
    return `${this.paths.journal}/.programs/${name}`;
  }

  #keep(env: Readonly<Record<string, string>>): [string] {
    return [['HOME', 'PATH', ...Object.keys(env)].join(' ')];
  }
}

function failed(what: string, code: number, stderr: Buffer): SandpiperError {
  const said = stderr.toString().trim().split('\n').at(-1)?.slice(0, 300) || `exit code ${code}`;
  return new SandpiperError('sandbox_unavailable', `${what}: ${said}.`, {
    hint: 'Look at the log of the relay, then try again.',
  });
}

function timedOut(timeoutMs: number): SandpiperError {
  return new SandpiperError('timeout', `A program in the sandbox was stopped after ${timeoutMs / 1000} s.`, {
    hint: 'Try again; the machine may have been busy.',
  });
}
