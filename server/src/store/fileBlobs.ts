import { createHash, randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import {
  damaged,
  decodeFixedHeader,
  decodeHeader,
  encodeHeader,
  FIXED_HEADER_BYTES,
  headerBytes,
  placesOfRange,
  type BlobHeader,
  type ChunkPlace,
} from './blobFormat.ts';
import { syncFolder } from '../core/syncFolder.ts';
import type { BlobStore } from './store.ts';

const CHUNK_BYTES = 1024 * 1024;
const HASH = /^[0-9a-f]{64}$/;
/** What a writer that died left behind; a living one is done long before. */
const STALE_MS = 60 * 60 * 1000;
/** Longer than any grace that `remove` is asked for. */
const FORGET_PUT_MS = 24 * 60 * 60 * 1000;

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

/**
 * Opens a blob store in a folder, made (mode 0700) where it is missing: one compressed file a blob, named by the hash of
 * its content. Failures are SandpiperErrors: `disk_full`, `invalid_params` for what is not a hash or a range, `internal`
 * for a damaged or unreadable file.
 */
export async function openBlobs(folder: string): Promise<BlobStore> {
  const temporary = join(folder, 'tmp');
  return guarded(async () => {
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    await removeStale(temporary);
    return new FileBlobs(folder, temporary);
  });
}

class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #temporary: string;
  /** When a content was last put: whoever put it may be about to name it in a log, also when it was there before. */
  readonly #putAt = new Map<string, number>();

  constructor(folder: string, temporary: string) {
    this.#folder = folder;
    this.#temporary = temporary;
  }

  put(content: Uint8Array): Promise<{ hash: string; bytes: number }> {
    return guarded(async () => {
      const hash = await hashOf(content);
      this.#putAt.set(hash, Date.now());
      const { folder, file } = this.#place(hash);
      if (!(await exists(file))) {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await this.#write(content, folder, file);
      }
      return { hash, bytes: content.length };
    });
  }

  read(hash: string, offset: number, maxBytes: number): Promise<{ content: Buffer; bytes: number } | undefined> {
    return guarded(async () => {
      if (!HASH.test(hash)) {
        throw new SandpiperError('invalid_params', 'That is not the hash of a blob.', { details: { hash } });
      }
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(maxBytes) || offset < 0 || maxBytes < 0) {
        throw new SandpiperError('invalid_params', 'A range is made of two whole numbers that are not negative.', {
          details: { offset, maxBytes },
        });
      }
      const handle = await openIfThere(this.#place(hash).file);
      if (!handle) {
        return undefined;
      }
      try {
        const header = await readHeader(handle);
        const content = await readRange(handle, header, offset, maxBytes);
        if (content.length === header.contentBytes && (await hashOf(content)) !== hash) {
          throw damaged('its content does not have its hash');
        }
        return { content, bytes: header.contentBytes };
      } finally {
        await handle.close();
      }
    });
  }

  list(): Promise<{ hash: string; bytes: number; ageMs: number }[]> {
    return guarded(async () => {
      const found = [];
      const now = Date.now();
      for (const [hash, at] of this.#putAt) {
        if (now - at > FORGET_PUT_MS) {
          this.#putAt.delete(hash);
        }
      }
      for (const prefix of await readdir(this.#folder)) {
        const names = /^[0-9a-f]{2}$/.test(prefix) ? await readdir(join(this.#folder, prefix)) : [];
        for (const hash of names.map(name => `${prefix}${name}`).filter(name => HASH.test(name))) {
          const entry = await stat(this.#place(hash).file).catch(() => undefined);
          if (entry) {
            found.push({ hash, bytes: entry.size, ageMs: now - entry.mtimeMs });
          }
        }
      }
      return found;
    });
  }

  remove(hash: string, graceMs: number): Promise<boolean> {
    return guarded(async () => {
      // A `put` marks the content before it looks whether it is there; so nothing may come between this look and the end.
      if (Date.now() - (this.#putAt.get(hash) ?? Number.NEGATIVE_INFINITY) < graceMs || !HASH.test(hash)) {
        return false;
      }
      this.#putAt.delete(hash);
      try {
        unlinkSync(this.#place(hash).file);
      } catch (error) {
        if (!isSystemError(error, 'ENOENT')) {
          throw error;
        }
      }
      return true;
    });
  }

  #place(hash: string): { folder: string; file: string } {
    const folder = join(this.#folder, hash.slice(0, 2));
    return { folder, file: join(folder, hash.slice(2)) };
  }

  /** Under its name a blob is whole from the first moment: it is written elsewhere, forced to disk, then renamed. */
  async #write(content: Uint8Array, folder: string, file: string): Promise<void> {
    const draft = join(this.#temporary, randomUUID());
    try {
      const handle = await open(draft, 'wx', 0o600);
      try {
        await writeChunks(handle, content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
    } catch (error) {
      await rm(draft, { force: true });
      // Windows refuses to replace a file that is being read; the same content is there already then.
      if (!(await exists(file))) {
        throw error;
      }
    }
    await syncFolder(folder);
    await syncFolder(this.#folder);
  }
}

async function writeChunks(handle: FileHandle, content: Uint8Array): Promise<void> {
  const chunks = Math.ceil(content.length / CHUNK_BYTES);
  const storedSizes: number[] = [];
  let position = headerBytes(chunks);
  for (let start = 0; start < content.length; start += CHUNK_BYTES) {
    const plain = content.subarray(start, start + CHUNK_BYTES);
    const packed = await compress(plain, { level: 4 });
    const stored = packed.length < plain.length ? packed : plain;
    await writeWhole(handle, stored, position);
    storedSizes.push(stored.length);
    position += stored.length;
  }
  const header = encodeHeader({ chunkBytes: CHUNK_BYTES, contentBytes: content.length, storedSizes });
  await writeWhole(handle, header, 0);
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readHeader(handle: FileHandle): Promise<BlobHeader> {
  const { chunks } = decodeFixedHeader(await readExactly(handle, 0, FIXED_HEADER_BYTES));
  const { size } = await handle.stat();
  return decodeHeader(await readExactly(handle, 0, Math.min(size, headerBytes(chunks))), size);
}

async function readRange(handle: FileHandle, header: BlobHeader, offset: number, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const place of placesOfRange(header, offset, maxBytes)) {
    const plain = await readChunk(handle, place);
    parts.push(plain.subarray(place.from, place.to));
  }
  return Buffer.concat(parts);
}

async function readChunk(handle: FileHandle, { position, storedBytes, plainBytes }: ChunkPlace): Promise<Buffer> {
  const stored = await readExactly(handle, position, storedBytes);
  if (storedBytes === plainBytes) {
    return stored;
  }
  // The limit keeps a damaged chunk from growing without end.
  const plain = await decompress(stored, { maxOutputLength: plainBytes }).catch(() => undefined);
  if (plain?.length !== plainBytes) {
    throw damaged('a chunk cannot be unpacked');
  }
  return plain;
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) {
      throw damaged('its end is missing');
    }
    done += bytesRead;
  }
  return buffer;
}

/** SHA-256 in hex; large content is hashed in parts so that the event loop goes on in between. */
async function hashOf(content: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < content.length; start += 4 * CHUNK_BYTES) {
    if (start > 0) {
      await setImmediate();
    }
    hash.update(content.subarray(start, start + 4 * CHUNK_BYTES));
  }
  return hash.digest('hex');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: unknown) => {
      if (isSystemError(error, 'ENOENT')) {
        return false;
      }
      throw error;
    },
  );
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  return open(file, 'r').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  });
}

async function removeStale(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const file = join(temporary, name);
    const found = await stat(file).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > STALE_MS) {
      await rm(file, { force: true });
    }
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SandpiperError) {
      throw error;
    }
    const cause = toError(error);
    if (isSystemError(error, 'ENOSPC') || isSystemError(error, 'EDQUOT') || isSystemError(error, 'EFBIG')) {
      throw new SandpiperError('disk_full', 'There is no room to store a large payload.', {
        hint: 'Free some disk space; the relay goes on by itself.',
        cause,
      });
    }
    throw new SandpiperError('internal', `The blob store failed: ${cause.message}.`, {
      hint: 'Check that the data folder can be read and written.',
      cause,
    });
  }
}
