import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { Isolation } from '../../../../protocol/events.ts';
import type { Disposable } from '../../core/disposable.ts';
import type { ExecOptions, ExecResult, Sandbox, SandboxPaths, SandboxRef, StartOptions, Vitals } from '../provider.ts';
import { checkedName, checkedProgram } from '../programChecks.ts';
import type { Launch, Launcher } from './launcher.ts';
import { sandboxGone, toSandboxError } from './localErrors.ts';
import { isRunning, killProcesses, selectProcesses } from './processTable.ts';
import type { ProcessIdentity, ProcessTable } from './processTable.ts';
import type { SandboxFiles } from './sandboxFiles.ts';
import { readStartRecord, removeStartRecord, writeStartRecord } from './sandboxRecords.ts';

interface LocalSandboxParts {
  ref: SandboxRef;
  isolation: Isolation;
  paths: SandboxPaths;
  /** Begins the mark of every process of this sandbox. */
  mark: string;
  /** The relay's own folder of this sandbox. */
  records: string;
  files: SandboxFiles;
  launcher: Launcher;
  table: ProcessTable;
  /** Asked before every step that another relay must not find done behind its back. */
  ownership: Ownership;
  /** Runs what concerns one program of one sandbox in turn. */
  inTurn<T>(name: string, action: () => Promise<T>): Promise<T>;
}

const DEFAULT_MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export class LocalSandbox implements Sandbox {
  readonly ref: SandboxRef;
  readonly isolation: Isolation;
  readonly paths: SandboxPaths;
  readonly hostMounts = true;
  readonly modelSocket = process.platform !== 'win32';
  readonly #parts: LocalSandboxParts;
  /** What was last seen to run. That it still does needs no look at the records; that it does not, does. */
  readonly #running = new Map<string, ProcessIdentity>();

  constructor(parts: LocalSandboxParts) {
    this.ref = parts.ref;
    this.isolation = parts.isolation;
    this.paths = parts.paths;
    this.#parts = parts;
  }

  async exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const { cwd = this.paths.workspace, env = {}, stdin, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
    // Names of programs have no colon, so this is nobody else's mark.
    const launch = this.#launch(argv, cwd, env, `:${randomUUID()}`);
    const timeoutMs = Math.min(options.timeoutMs, MAX_TIMEOUT_MS);
    return this.#guard('The program could not be run', async () =>
      this.#parts.launcher.exec({ ...launch, stdin, timeoutMs, maxOutputBytes }),
    );
  }

  async start(name: string, argv: readonly string[], options: StartOptions): Promise<void> {
    const launch = this.#launch(argv, options.cwd, options.env, checkedName(name));
    const { records, launcher, ownership } = this.#parts;
    await this.#parts.inTurn(name, async () =>
      this.#guard(`"${name}" could not be started`, async () => {
        if (await this.#isAlive(name)) {
          throw new SandpiperError('conflict', `"${name}" already runs in the sandbox.`);
        }
        // What an earlier program of this name may have left running must not meet the next one.
        await this.#killAll(name);
        await ownership.confirm();
        await writeStartRecord(records, name, { state: 'starting' });
        try {
          const started = await launcher.start(launch);
          await ownership.confirm();
          await writeStartRecord(records, name, { state: 'started', ...started });
        } catch (error) {
          await this.#killAll(name);
          throw error;
        }
      }),
    );
  }

  async alive(name: string): Promise<boolean> {
    return this.#isAlive(checkedName(name));
  }

  async vitals(name: string): Promise<Vitals | undefined> {
    const { records, table } = this.#parts;
    const record = await readStartRecord(records, checkedName(name));
    return record?.state === 'started' ? table.vitals?.(record.main) : undefined;
  }

  async processTexts(): Promise<{ pid: number; text: Buffer }[]> {
    const { table, mark } = this.#parts;
    const inside = selectProcesses(await table.list(), candidate => candidate.startsWith(`${mark}:`), new Set());
    return Promise.all(inside.map(async ({ pid }) => ({ pid, text: (await table.text?.(pid)) ?? Buffer.alloc(0) })));
  }

  async kill(name: string): Promise<void> {
    checkedName(name);
    await this.#parts.inTurn(name, async () =>
      this.#guard(`"${name}" could not be stopped`, async () => this.#killAll(name)),
    );
  }

  async writeFile(path: string, data: Uint8Array, options: { mode?: number } = {}): Promise<void> {
    await this.#parts.ownership.confirm();
    await this.#parts.files.writeFile(path, data, options.mode);
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }> {
    return this.#parts.files.readFrom(path, offset, maxBytes);
  }

  watch(path: string, onChange: () => void): Disposable {
    return this.#parts.files.watch(path, onChange);
  }

  async wake(fifo: string): Promise<void> {
    this.#parts.files.wake(fifo);
  }

  async #isAlive(name: string): Promise<boolean> {
    const { records, table } = this.#parts;
    const known = this.#running.get(name);
    if (known && (await isRunning(table, known))) {
      return true;
    }
    this.#running.delete(name);
    const record = await readStartRecord(records, name);
    if (record?.state === 'started') {
      const runs = await isRunning(table, record.main);
      if (runs) {
        this.#running.set(name, record.main);
      }
      return runs;
    }
    const mark = this.#markOf(name);
    // The relay died between the start and its record.
    return record !== undefined && (await table.list()).some(entry => entry.mark === mark && !entry.ended);
  }

  async #killAll(name: string): Promise<void> {
    const { records, table } = this.#parts;
    const record = await readStartRecord(records, name);
    if (record === undefined) {
      return;
    }
    const recorded: ProcessIdentity[] = record.state === 'started' ? [record.main, ...record.others] : [];
    const mark = this.#markOf(name);
    await killProcesses(table, candidate => candidate === mark, recorded);
    await this.#parts.ownership.confirm();
    await removeStartRecord(records, name);
  }

  #markOf(name: string): string {
    return `${this.#parts.mark}:${name}`;
  }

  #launch(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>, name: string): Launch {
    return { argv: checkedProgram(argv, cwd, env), cwd, env, mark: this.#markOf(name) };
  }

  async #guard<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { records, ref } = this.#parts;
    if (!existsSync(records)) {
      throw sandboxGone(ref.id);
    }
    try {
      return await action();
    } catch (error) {
      throw existsSync(records) ? toSandboxError(error, what) : sandboxGone(ref.id);
    }
  }
}
