import { SandpiperError } from '../../../protocol/errors.ts';

/*
 * The file of a blob: a header, then the chunks one after another. Each chunk is compressed alone, so that a range costs
 * only the chunks that it touches.
 *
 *   0  4 bytes   MAGIC
 *   4  4 bytes   size of a chunk before compression (the last one may be smaller)
 *   8  8 bytes   size of the content
 *  16  4 bytes   how many chunks
 *  20  4 bytes each  stored size of a chunk; equal to its plain size when it is stored as it is
 *
 * Integers are unsigned and little-endian.
 */

const MAGIC = Buffer.from('spb1', 'latin1');
export const FIXED_HEADER_BYTES = 20;
const MAX_CHUNK_BYTES = 16 * 1024 * 1024;
const MAX_CHUNKS = 1_000_000;

export interface BlobHeader {
  chunkBytes: number;
  contentBytes: number;
  storedSizes: readonly number[];
}

/** Where the bytes of one chunk are. */
export interface ChunkPlace {
  position: number;
  storedBytes: number;
  plainBytes: number;
  /** Which part of the plain chunk belongs to the range. */
  from: number;
  to: number;
}

export function headerBytes(chunks: number): number {
  return FIXED_HEADER_BYTES + 4 * chunks;
}

export function encodeHeader({ chunkBytes, contentBytes, storedSizes }: BlobHeader): Buffer {
  const header = Buffer.alloc(headerBytes(storedSizes.length));
  MAGIC.copy(header);
  header.writeUInt32LE(chunkBytes, 4);
  header.writeBigUInt64LE(BigInt(contentBytes), 8);
  header.writeUInt32LE(storedSizes.length, 16);
  storedSizes.forEach((size, index) => header.writeUInt32LE(size, FIXED_HEADER_BYTES + 4 * index));
  return header;
}

/**
 * The fixed part of a header, to know how long the whole is.
 * @throws `internal` when this is not the file of a blob
 */
export function decodeFixedHeader(fixed: Buffer): { chunkBytes: number; contentBytes: number; chunks: number } {
  if (fixed.length !== FIXED_HEADER_BYTES || !fixed.subarray(0, 4).equals(MAGIC)) {
    throw damaged('it does not start as one');
  }
  const chunkBytes = fixed.readUInt32LE(4);
  const contentBytes = Number(fixed.readBigUInt64LE(8));
  const chunks = fixed.readUInt32LE(16);
  const sizesFit = chunkBytes > 0 && chunkBytes <= MAX_CHUNK_BYTES && chunks <= MAX_CHUNKS;
  if (!sizesFit || chunks !== Math.ceil(contentBytes / chunkBytes)) {
    throw damaged('its sizes contradict each other');
  }
  return { chunkBytes, contentBytes, chunks };
}

/**
 * A whole header, checked against the size of its file: a blob whose end is missing is found here.
 * @throws `internal`
 */
export function decodeHeader(header: Buffer, fileBytes: number): BlobHeader {
  const { chunkBytes, contentBytes, chunks } = decodeFixedHeader(header.subarray(0, FIXED_HEADER_BYTES));
  if (header.length !== headerBytes(chunks)) {
    throw damaged('its index is cut off');
  }
  const storedSizes = Array.from({ length: chunks }, (_, index) => header.readUInt32LE(FIXED_HEADER_BYTES + 4 * index));
  const stored = storedSizes.reduce((sum, size) => sum + size, 0);
  if (storedSizes.some(size => size > chunkBytes) || headerBytes(chunks) + stored !== fileBytes) {
    throw damaged('its size is not what its index says');
  }
  return { chunkBytes, contentBytes, storedSizes };
}

/** The chunks that hold `offset` to `offset + maxBytes` of the content; none when the offset is at or after its end. */
export function placesOfRange(header: BlobHeader, offset: number, maxBytes: number): ChunkPlace[] {
  const { chunkBytes, contentBytes, storedSizes } = header;
  const end = Math.min(contentBytes, offset + maxBytes);
  const places: ChunkPlace[] = [];
  let position = headerBytes(storedSizes.length);
  storedSizes.forEach((storedBytes, index) => {
    const start = index * chunkBytes;
    const plainBytes = Math.min(chunkBytes, contentBytes - start);
    const from = Math.max(0, offset - start);
    const to = Math.min(plainBytes, end - start);
    if (from < to) {
      places.push({ position, storedBytes, plainBytes, from, to });
    }
    position += storedBytes;
  });
  return places;
}

export function damaged(why: string): SandpiperError {
  return new SandpiperError('internal', `A stored blob is damaged: ${why}.`, {
    hint: 'The disk may be failing. What the blob held cannot be shown; everything else goes on.',
  });
}
