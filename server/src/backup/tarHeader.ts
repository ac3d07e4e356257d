/*
 * The entries of a backup are those of a tar file (ustar), so that a person can look into one with `tar -tf`. Only
 * regular files of this relay's own naming occur.
 */

export const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const SIZE_AT = 124;
const SIZE_DIGITS = 11;
const CHECKSUM_AT = 148;
/** Larger sizes than eleven octal digits can say are written in base 256, as GNU tar does. */
const LARGEST_OCTAL = 8 ** SIZE_DIGITS - 1;

export interface TarHeader {
  name: string;
  bytes: number;
}

/** A header block; the same bytes for the same entry. */
export function encodeTarHeader({ name, bytes }: TarHeader): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES) {
    throw new Error(`The name ${name} is too long for a backup.`);
  }
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 'latin1');
  block.write('0000600\0', 100, 'latin1');
  block.write('0000000\0', 108, 'latin1');
  block.write('0000000\0', 116, 'latin1');
  if (bytes <= LARGEST_OCTAL) {
    block.write(`${bytes.toString(8).padStart(SIZE_DIGITS, '0')}\0`, SIZE_AT, 'latin1');
  } else {
    block[SIZE_AT] = 0x80;
    block.writeBigUInt64BE(BigInt(bytes), SIZE_AT + 4);
  }
  block.write('00000000000\0', 136, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  return block;
}

/** Undefined for a block that is not exactly what `encodeTarHeader` makes. */
export function decodeTarHeader(block: Buffer): TarHeader | undefined {
  const end = block.indexOf(0);
  const name = block.toString('latin1', 0, Math.min(end === -1 ? NAME_BYTES : end, NAME_BYTES));
  const size = block.subarray(SIZE_AT, SIZE_AT + 12);
  const bytes =
    size[0] === 0x80 ? Number(size.readBigUInt64BE(4)) : Number.parseInt(size.toString('latin1', 0, SIZE_DIGITS), 8);
  if (name === '' || !Number.isSafeInteger(bytes) || bytes < 0) {
    return undefined;
  }
  return encodeTarHeader({ name, bytes }).equals(block) ? { name, bytes } : undefined;
}

/** How many zeros follow the content of an entry. */
export function paddingAfter(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** The sum of all bytes, where the sum itself counts as spaces. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, index) => sum + (index >= CHECKSUM_AT && index < CHECKSUM_AT + 8 ? 0x20 : byte), 0);
}
