import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, unlinkSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { syncFolder } from '../core/syncFolder.ts';
import { explainDiskFull } from '../core/diskSpace.ts';

/** A part of an archive: named by the SHA-256 of its content. */
export const partSchema = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative() });
export type Part = z.infer<typeof partSchema>;

/** What a writer that died left behind; a living one renews its file all the time. */
const STALE_MS = 60 * 60 * 1000;

/** Files of archives, one for each content, readable by their owner only; written and read as streams. */
export class PartStore {
  readonly #folder: string;
  readonly #temporary: string;
  /** Put by this process: whoever put it is about to name it in a manifest or a log. */
  readonly #fresh = new Map<string, number>();

  private constructor(folder: string, temporary: string) {
    this.#folder = folder;
    this.#temporary = temporary;
  }

  /** Opens the store in a folder that is made (mode 0700) where it is missing. */
  static async open(folder: string): Promise<PartStore> {
    const [parts, temporary] = [join(folder, 'parts'), join(folder, 'tmp')];
    await mkdir(parts, { recursive: true, mode: 0o700 });
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    return new PartStore(parts, temporary);
  }

  /** A new file for something that is put afterwards; the caller removes it. */
  scratchFile(): string {
    return join(this.#temporary, randomUUID());
  }

  /**
   * Keeps a content; durable when it resolves. The same content twice is one part.
   * @throws `disk_full`, `too_large` when there is more than `maxBytes`, or what the source throws
   */
  async put(source: AsyncIterable<Uint8Array>, maxBytes = Number.POSITIVE_INFINITY): Promise<Part> {
    const draft = this.scratchFile();
    try {
      const hash = createHash('sha256');
      let bytes = 0;
      const file = await open(draft, 'wx', 0o600);
      try {
        for await (const chunk of source) {
          bytes += chunk.length;
          if (bytes > maxBytes) {
            throw new SandpiperError('too_large', `This is more than ${maxBytes} bytes.`);
          }
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const part = { hash: hash.digest('hex'), bytes };
      this.#fresh.set(part.hash, Date.now());
      await rename(draft, this.#file(part.hash));
      await syncFolder(this.#folder);
      return part;
    } catch (error) {
      await rm(draft, { force: true });
      throw asPartError(error);
    }
  }

  /** The content, in order. What was damaged is found at the latest at its end. @throws `internal` */
  async *read({ hash, bytes }: Part): AsyncGenerator<Uint8Array, void, undefined> {
    const digest = createHash('sha256');
    let read = 0;
    try {
      for await (const chunk of createReadStream(this.#file(hash))) {
        if (!(chunk instanceof Uint8Array)) {
          throw new TypeError('A file was read as text');
        }
        digest.update(chunk);
        read += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw asPartError(error);
    }
    if (read !== bytes || digest.digest('hex') !== hash) {
      throw damaged('its content does not have its hash');
    }
  }

  /** @throws `internal` when a part is missing or damaged */
  async verify(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      for await (const _chunk of this.read(part)) {
        // Reading to the end is the check.
      }
    }
  }

  /** Where a part lies, for a program that reads a file. Only after `verify`. */
  fileOf({ hash }: Part): string {
    return this.#file(hash);
  }

  /** Every part, with its age; for retention. */
  async list(now: number): Promise<{ hash: string; bytes: number; ageMs: number }[]> {
    const found = [];
    for (const hash of await readdir(this.#folder)) {
      const entry = await stat(this.#file(hash)).catch(() => undefined);
      if (entry?.isFile()) {
        found.push({ hash, bytes: entry.size, ageMs: now - entry.mtimeMs });
      }
    }
    return found;
  }

  /** Keeps a part from being removed for a while though nothing names it yet. */
  async renew({ hash }: Part): Promise<void> {
    this.#fresh.set(hash, Date.now());
    const now = new Date();
    await utimes(this.#file(hash), now, now);
  }

  /** Removes a part unless it was put lately. @returns whether it is gone */
  remove(hash: string, now: number, graceMs: number): boolean {
    // Nothing may come between this look and the removal.
    if (now - (this.#fresh.get(hash) ?? Number.NEGATIVE_INFINITY) < graceMs) {
      return false;
    }
    this.#fresh.delete(hash);
    try {
      unlinkSync(this.#file(hash));
    } catch {
      return false;
    }
    return true;
  }

  /** Files of writers that died. @returns their names, removed unless `dryRun` */
  async removeStale(now: number, dryRun: boolean): Promise<string[]> {
    const stale = [];
    for (const name of await readdir(this.#temporary)) {
      const file = join(this.#temporary, name);
      const entry = await stat(file).catch(() => undefined);
      if (entry && now - entry.mtimeMs > STALE_MS) {
        stale.push(name);
        if (!dryRun) {
          await rm(file, { force: true });
        }
      }
    }
    return stale;
  }

  #file(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new SandpiperError('invalid_params', 'That is not the hash of a part.');
    }
    return join(this.#folder, hash);
  }
}

export function damaged(why: string): SandpiperError {
  return new SandpiperError('internal', `The archive is damaged: ${why}.`, {
    hint: 'Nothing was changed. The disk may be failing; restore the data folder from a backup if you need it.',
  });
}

function asPartError(error: unknown): unknown {
  const explained = explainDiskFull(error);
  if (explained instanceof SandpiperError) {
    return explained;
  }
  const cause = toError(error);
  return 'code' in cause && cause.code === 'ENOENT' ? damaged('a part of it is missing') : error;
}
