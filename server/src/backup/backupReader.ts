import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { BackupSummary } from '../core/dataFolderTools.ts';
import {
  CHECKSUM,
  damagedBackup,
  END_BYTES,
  FORMAT_VERSION,
  isPartName,
  MANIFEST,
  newerBackup,
  noBackup,
  partLineSchema,
  START,
  startSchema,
  summaryLineSchema,
  unreadableBackup,
  type PartLine,
  type Start,
  type SummaryLine,
} from './backupFormat.ts';
import { BLOCK_BYTES, decodeTarHeader, encodeTarHeader, paddingAfter } from './tarHeader.ts';

const READ_BYTES = 1024 * 1024;
const MAX_START_BYTES = 64 * 1024;
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

/** Takes one part; it must read the content to its end, whose checksum is not known to be right before `readBackup` resolves. */
export type TakePart = (name: string, content: AsyncIterable<Buffer>) => Promise<void>;

/**
 * Reads a backup from front to back and compares all that can be compared.
 * @throws `invalid_params` when it is none, cut or damaged anywhere; `version_mismatch` when it is newer
 */
export async function readBackup(file: string, takePart: TakePart): Promise<BackupSummary> {
  const source = new Source(file);
  try {
    const start = await readStart(file, source);
    const found = new Map<string, PartLine>();
    for (;;) {
      const { name, bytes } = await nextHeader(file, source);
      if (name === MANIFEST) {
        const manifest = parseManifest(file, await source.whole(bytes, MAX_MANIFEST_BYTES));
        await readEnd(file, source);
        compare(file, manifest.parts, found);
        return summaryOf(file, source.offset, start, manifest.summary);
      }
      if (!isPartName(name) || found.has(name)) {
        throw damagedBackup(file, 'it holds a part that no backup has');
      }
      const hash = createHash('sha256');
      await takePart(name, hashing(source.content(bytes), hash));
      found.set(name, { name, bytes, sha256: hash.digest('hex') });
    }
  } finally {
    source.close();
  }
}

function summaryOf(file: string, bytes: number, start: Start, { counts, warnings }: SummaryLine): BackupSummary {
  return { file, bytes, version: start.version, createdAt: start.createdAt, counts, warnings };
}

async function readStart(file: string, source: Source): Promise<Start> {
  const block = await source.exactly(BLOCK_BYTES).catch((error: unknown) => {
    throw isTooShort(error) ? noBackup(file) : error;
  });
  const header = decodeTarHeader(block);
  if (header?.name !== START) {
    throw noBackup(file);
  }
  const start = startSchema.safeParse(parseJson((await source.whole(header.bytes, MAX_START_BYTES)).toString()));
  if (!start.success) {
    throw damagedBackup(file, 'its beginning cannot be read');
  }
  if (start.data.formatVersion > FORMAT_VERSION) {
    throw newerBackup(file, start.data.version);
  }
  return start.data;
}

async function nextHeader(file: string, source: Source): Promise<{ name: string; bytes: number }> {
  const header = decodeTarHeader(await source.exactly(BLOCK_BYTES));
  if (!header) {
    throw damagedBackup(file, `there is no part where one was due, at byte ${source.offset - BLOCK_BYTES}`);
  }
  return header;
}

/** The checksum of everything before it, and that nothing comes after. */
async function readEnd(file: string, source: Source): Promise<void> {
  const expected = Buffer.from(`${source.digest()}\n`);
  const header = encodeTarHeader({ name: CHECKSUM, bytes: expected.length });
  const rest = Buffer.alloc(paddingAfter(expected.length) + END_BYTES);
  const end = Buffer.concat([header, expected, rest]);
  if (!(await source.exactly(end.length)).equals(end) || !(await source.atEnd())) {
    throw damagedBackup(file, 'its checksum is not that of its content');
  }
}

function parseManifest(file: string, text: Buffer): { summary: SummaryLine; parts: PartLine[] } {
  const [head = '', ...lines] = text.toString().trimEnd().split('\n');
  const summary = summaryLineSchema.safeParse(parseJson(head));
  const parts = lines.map(line => partLineSchema.safeParse(parseJson(line)));
  const good = parts.flatMap(part => (part.success ? [part.data] : []));
  if (!summary.success || good.length !== parts.length || summary.data.parts !== good.length) {
    throw damagedBackup(file, 'its manifest cannot be read');
  }
  return { summary: summary.data, parts: good };
}

function compare(file: string, parts: readonly PartLine[], found: ReadonlyMap<string, PartLine>): void {
  for (const { name, bytes, sha256 } of parts) {
    const part = found.get(name);
    if (name !== START && (part?.bytes !== bytes || part.sha256 !== sha256)) {
      throw damagedBackup(file, `${name} is not what its manifest says`);
    }
  }
  if (parts.length !== found.size + 1) {
    throw damagedBackup(file, 'its manifest does not name every part');
  }
}

async function* hashing(
  content: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

class TooShort extends Error {}

function isTooShort(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof TooShort;
}

/** The bytes of a file in order, hashed as they are taken. */
class Source {
  readonly #file: string;
  readonly #stream: ReturnType<typeof createReadStream>;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #hash = createHash('sha256');
  #held: Buffer = Buffer.alloc(0);
  offset = 0;

  constructor(file: string) {
    this.#file = file;
    this.#stream = createReadStream(file, { highWaterMark: READ_BYTES });
    this.#chunks = this.#stream[Symbol.asyncIterator]();
  }

  close(): void {
    this.#stream.destroy();
  }

  /** Of everything that was taken so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  async atEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#fill());
  }

  async exactly(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.#take(bytes)) {
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** The content of an entry that is small enough to be held. */
  async whole(bytes: number, maxBytes: number): Promise<Buffer> {
    if (bytes > maxBytes) {
      throw damagedBackup(this.#file, 'a part is larger than it can be');
    }
    const parts: Buffer[] = [];
    for await (const part of this.content(bytes)) {
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** The content of an entry; what pads it is taken too. */
  async *content(bytes: number): AsyncGenerator<Buffer> {
    yield* this.#take(bytes);
    if (!(await this.exactly(paddingAfter(bytes))).every(byte => byte === 0)) {
      throw damagedBackup(this.#file, 'there is something between its parts');
    }
  }

  async *#take(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0;) {
      if (this.#held.length === 0 && !(await this.#fill())) {
        throw damagedBackup(this.#file, 'its end is missing', new TooShort());
      }
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      this.#hash.update(part);
      this.offset += part.length;
      left -= part.length;
      yield part;
    }
  }

  async #fill(): Promise<boolean> {
    try {
      const { value, done } = await this.#chunks.next();
      this.#held = Buffer.isBuffer(value) ? value : Buffer.alloc(0);
      return done !== true;
    } catch (error) {
      throw unreadableBackup(this.#file, error);
    }
  }
}
