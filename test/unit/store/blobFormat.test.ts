import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeHeader, encodeHeader, headerBytes, placesOfRange } from '../../../server/src/store/blobFormat.ts';

describe('blobFormat', () => {
  const header = { chunkBytes: 100, contentBytes: 250, storedSizes: [40, 100, 50] };

  it('reads the header that it wrote', () => {
    const bytes = encodeHeader(header);
    assert.equal(bytes.length, headerBytes(3));
    assert.deepEqual(decodeHeader(bytes, bytes.length + 190), header);
  });

  it('refuses a header that contradicts itself or its file', () => {
    const bytes = encodeHeader(header);
    assert.throws(() => decodeHeader(bytes, bytes.length + 189), /damaged/);
    assert.throws(() => decodeHeader(bytes.subarray(0, -1), bytes.length + 190), /damaged/);
    for (const [value, at] of [
      [0, 0],
      [0, 4],
      [7, 8],
      [2, 16],
      [101, 20],
    ] as const) {
      const wrong = Buffer.from(bytes);
      wrong.writeUInt32LE(value, at);
      assert.throws(() => decodeHeader(wrong, bytes.length + 190), /damaged/, `byte ${at}`);
    }
  });

  it('finds exactly the bytes of any range', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (offset, maxBytes) => {
        const places = placesOfRange(header, offset, maxBytes);
        const bytes = places.reduce((sum, place) => sum + place.to - place.from, 0);
        assert.equal(bytes, Math.max(0, Math.min(250, offset + maxBytes) - offset));
        assert(places.every(place => place.from >= 0 && place.to <= place.plainBytes && place.from < place.to));
      }),
    );
  });
});
