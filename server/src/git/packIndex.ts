/** Size of the two parts before the object names: signature and version, and the counts by first byte. */
const HEADER_BYTES = 8;
const FANOUT_BYTES = 256 * 4;

/**
 * The objects of a pack, in the order in which they lie in it, from its index (version 2). What `index-pack --fix-thin`
 * appended comes last.
 * @throws Error when it is not such an index
 */
export function readPackIndex(index: Buffer): string[] {
  if (index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2) {
    throw new Error('not a pack index of version 2');
  }
  const count = index.readUInt32BE(HEADER_BYTES + FANOUT_BYTES - 4);
  const names = HEADER_BYTES + FANOUT_BYTES;
  const offsets = names + count * (20 + 4);
  const large = offsets + count * 4;
  const objects = Array.from({ length: count }, (_, at) => {
    const short = index.readUInt32BE(offsets + at * 4);
    // The highest bit says that the offset is in the table of 64-bit ones.
    const offset = short < 0x8000_0000 ? short : Number(index.readBigUInt64BE(large + (short - 0x8000_0000) * 8));
    return { id: index.toString('hex', names + at * 20, names + at * 20 + 20), offset };
  });
  return objects.sort((one, other) => one.offset - other.offset).map(object => object.id);
}
