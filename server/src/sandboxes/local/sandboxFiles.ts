import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  read as readCallback,
  readSync,
  renameSync,
  unlinkSync,
  writeFile as writeFileCallback,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { disposable, type Disposable } from '../../core/disposable.ts';
import { watchFile } from './fileWatch.ts';
import { locate } from './insidePath.ts';
import type { Located, Root } from './insidePath.ts';
import { KeptFiles } from './keptFiles.ts';
import { sandboxGone, toSandboxError } from './localErrors.ts';
import { SafeFolder, hasErrorCode, type Owner } from './safeFolder.ts';

const read = promisify(readCallback);
const writeFile = promisify(writeFileCallback);

/** Never follow a link, never wait for the other end of a FIFO, never become the terminal of the relay. */
const GUARDED = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const DEFAULT_MODE = 0o644;
const SMALL_BYTES = 64 * 1024;
/** For reads that are over before anything else happens. */
const SCRATCH = Buffer.allocUnsafeSlow(SMALL_BYTES);
/** What an open or a walk says when there is no plain file that the relay may read. */
const NOT_THERE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO', 'EACCES', 'EMLINK'];

/**
 * The relay's hands in folders that the sandbox writes to. What stands there is hostile: links to the host's files, FIFOs
 * without a writer, devices, sparse files of any size.
 */
export class SandboxFiles {
  readonly #id: string;
  readonly #roots: readonly Root[];
  readonly #kept = new KeptFiles();
  readonly #owner: Owner | undefined;

  /** @param owner of what is written; default: the relay's own user */
  constructor(id: string, roots: readonly Root[], owner?: Owner) {
    this.#id = id;
    this.#roots = roots;
    this.#owner = owner;
  }

  watch(path: string, onChange: () => void): Disposable {
    const located = locate(this.#roots, path);
    this.#kept.follow(path);
    const watch = watchFile(located, { onChange, onReplaced: () => this.#kept.forget(path) });
    return disposable(() => {
      watch.dispose();
      this.#kept.unfollow(path);
    });
  }

  async writeFile(path: string, data: Uint8Array, mode: number = DEFAULT_MODE): Promise<void> {
    const located = locate(this.#roots, path);
    try {
      const folder = this.#open(located, true);
      try {
        await replaceFile(folder, lastOf(located), data, { mode: mode & 0o777, owner: this.#owner });
      } finally {
        folder.close();
      }
    } catch (error) {
      throw this.#explain(error, `The file ${path} could not be written`, located);
    }
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }> {
    const known = this.#readKept(path, offset, maxBytes);
    if (known) {
      return { data: known, missing: false };
    }
    const located = locate(this.#roots, path);
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(maxBytes) || maxBytes < 0) {
      throw new SandpiperError('invalid_params', `Reading ${path} needs whole numbers, not ${offset} and ${maxBytes}.`);
    }
    let descriptor: number | undefined;
    try {
      descriptor = this.#openFile(located, constants.O_RDONLY);
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) {
        return { data: Buffer.alloc(0), missing: true };
      }
      const length = Math.min(maxBytes, stat.size - offset);
      const reading = readUpTo(descriptor, offset, length);
      if (length <= SMALL_BYTES) {
        this.#kept.keep(path, descriptor);
        descriptor = undefined;
      }
      return { data: await reading, missing: false };
    } catch (error) {
      if (hasErrorCode(error, ...NOT_THERE) && existsSync(located.root.host)) {
        return { data: Buffer.alloc(0), missing: true };
      }
      throw this.#explain(error, `The file ${path} could not be read`, located);
    } finally {
      if (descriptor !== undefined) {
        closeSync(descriptor);
      }
    }
  }

  /** Undefined when there is more to read than a little, or anything that needs a closer look. */
  #readKept(path: string, offset: number, maxBytes: number): Buffer | undefined {
    const descriptor = this.#kept.get(path);
    if (descriptor === undefined || !(offset >= 0 && maxBytes >= 0)) {
      return undefined;
    }
    try {
      const bytes = readSync(descriptor, SCRATCH, 0, Math.min(maxBytes, SMALL_BYTES), offset);
      return bytes === SMALL_BYTES && maxBytes > SMALL_BYTES ? undefined : Buffer.from(SCRATCH.subarray(0, bytes));
    } catch {
      this.#kept.forget(path);
      return undefined;
    }
  }

  /** One newline into a FIFO. Nobody reading, nothing there, or something that is no FIFO: nothing happens. */
  wake(path: string): void {
    const located = locate(this.#roots, path);
    let descriptor: number | undefined;
    try {
      descriptor = this.#openFile(located, constants.O_WRONLY);
      if (fstatSync(descriptor).isFIFO()) {
        writeSync(descriptor, '\n');
      }
    } catch (error) {
      // A full FIFO (EAGAIN) wakes as well as one more newline would; EPIPE is a reader that just left.
      if (!hasErrorCode(error, ...NOT_THERE, 'EAGAIN', 'EPIPE')) {
        throw this.#explain(error, `The FIFO ${path} could not be written`, located);
      }
    } finally {
      if (descriptor !== undefined) {
        closeSync(descriptor);
      }
    }
  }

  #openFile(located: Located, access: number): number {
    const folder = this.#open(located, false);
    try {
      return openSync(folder.pathOf(lastOf(located)), access | GUARDED);
    } finally {
      folder.close();
    }
  }

  #open(located: Located, create: boolean): SafeFolder {
    return SafeFolder.openParent(located, { create, owner: this.#owner });
  }

  #explain(error: unknown, what: string, located: Located): SandpiperError {
    return existsSync(located.root.host) ? toSandboxError(error, what) : sandboxGone(this.#id);
  }
}

function lastOf(located: Located): string {
  return located.components.at(-1) ?? '';
}

async function replaceFile(
  folder: SafeFolder,
  name: string,
  data: Uint8Array,
  { mode, owner }: { mode: number; owner: Owner | undefined },
): Promise<void> {
  const temporary = folder.pathOf(`.sandpiper-${randomUUID()}`);
  const descriptor = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | GUARDED, 0o600);
  try {
    try {
      // The mode of open() is cut by the umask.
      fchmodSync(descriptor, mode);
      if (owner) {
        fchownSync(descriptor, owner.uid, owner.gid);
      }
      // A message to an agent is small and urgent; the way through the thread pool costs more than its writing.
      if (data.length <= SMALL_BYTES) {
        writeFileSync(descriptor, data);
      } else {
        await writeFile(descriptor, data);
      }
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, folder.pathOf(name));
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // The sandbox may have moved it; the first error is the one to tell.
    }
    throw error;
  }
}

async function readUpTo(descriptor: number, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(length, 0));
  let filled = 0;
  // What an agent has just written is in memory, and every token comes this way: the thread pool would cost it two switches.
  if (length <= SMALL_BYTES) {
    return buffer.subarray(0, length > 0 ? readSync(descriptor, buffer, 0, length, offset) : 0);
  }
  while (filled < length) {
    const { bytesRead } = await read(descriptor, buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
