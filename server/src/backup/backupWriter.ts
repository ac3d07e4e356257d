import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { CHECKSUM, END_BYTES, MANIFEST, type PartLine, type SummaryLine } from './backupFormat.ts';
import { encodeTarHeader, paddingAfter } from './tarHeader.ts';

const READ_BYTES = 1024 * 1024;
/** Lines of the manifest are written in groups of about this size. */
const MANIFEST_CHUNK = 1000;

/** Writes a backup from front to back; nothing but the lines of the manifest is held in memory. */
export class BackupWriter {
  readonly #handle: FileHandle;
  readonly #signal: AbortSignal;
  readonly #whole: Hash = createHash('sha256');
  readonly #parts: PartLine[] = [];
  #bytes = 0;

  private constructor(handle: FileHandle, signal: AbortSignal) {
    this.#handle = handle;
    this.#signal = signal;
  }

  /** Makes the file, mode 0600. It must not exist. */
  static async open(file: string, signal: AbortSignal): Promise<BackupWriter> {
    return new BackupWriter(await open(file, 'wx', 0o600), signal);
  }

  async addText(name: string, text: string): Promise<void> {
    const content = Buffer.from(text);
    await this.#addPart(name, content.length, [content]);
  }

  /** @throws ENOENT when there is no such file */
  async addFile(name: string, path: string): Promise<void> {
    const { size } = await stat(path);
    await this.#addPart(name, size, createReadStream(path, { highWaterMark: READ_BYTES }));
  }

  /** Writes what ends a backup and forces it to disk. @returns its size */
  async finish(summary: Omit<SummaryLine, 'parts'>): Promise<number> {
    const head = JSON.stringify({ ...summary, parts: this.#parts.length } satisfies SummaryLine);
    const lines = [head, ...this.#parts.map(part => JSON.stringify(part))];
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    await this.#addEntry(MANIFEST, bytes, grouped(lines));
    const sum = Buffer.from(`${this.#whole.digest('hex')}\n`);
    const padding = Buffer.alloc(paddingAfter(sum.length) + END_BYTES);
    await this.#append(Buffer.concat([encodeTarHeader({ name: CHECKSUM, bytes: sum.length }), sum, padding]));
    await this.#handle.sync();
    return this.#bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #addPart(name: string, bytes: number, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    this.#parts.push({ name, bytes, sha256: await this.#addEntry(name, bytes, content) });
  }

  async #addEntry(name: string, bytes: number, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
    await this.#write(encodeTarHeader({ name, bytes }));
    const hash = createHash('sha256');
    let written = 0;
    for await (const chunk of content) {
      this.#signal.throwIfAborted();
      hash.update(chunk);
      written += chunk.length;
      await this.#write(chunk);
    }
    if (written !== bytes) {
      throw new Error(`${name} had ${bytes} bytes and then ${written}`);
    }
    await this.#write(Buffer.alloc(paddingAfter(bytes)));
    return hash.digest('hex');
  }

  async #write(chunk: Buffer): Promise<void> {
    this.#whole.update(chunk);
    await this.#append(chunk);
  }

  async #append(chunk: Buffer): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      done += (await this.#handle.write(chunk, done)).bytesWritten;
    }
    this.#bytes += chunk.length;
  }
}

function* grouped(lines: readonly string[]): Generator<Buffer> {
  for (let start = 0; start < lines.length; start += MANIFEST_CHUNK) {
    yield Buffer.from(
      lines
        .slice(start, start + MANIFEST_CHUNK)
        .map(line => `${line}\n`)
        .join(''),
    );
  }
}
