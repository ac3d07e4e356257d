import assert from 'node:assert/strict';
import { animatedWebp, type WebpFrame } from '../../../scripts/screenshots/animatedWebp.ts';

/** A still of one part, with the metadata that a canvas may add. */
function still(part: string, content: Buffer): Buffer {
  const body = Buffer.concat([chunk('ICCP', Buffer.from('rgb')), chunk(part, content)]);
  return Buffer.concat([Buffer.from('RIFF'), uint32(body.length + 4), Buffer.from('WEBP'), body]);
}

function chunk(name: string, content: Buffer): Buffer {
  const padding = Buffer.alloc(content.length % 2);
  return Buffer.concat([Buffer.from(name), uint32(content.length), content, padding]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Name and content of each part of a list of them. */
function partsOf(list: Buffer): [string, Buffer][] {
  const parts: [string, Buffer][] = [];
  for (let at = 0; at < list.length;) {
    const length = list.readUInt32LE(at + 4);
    parts.push([list.toString('latin1', at, at + 4), list.subarray(at + 8, at + 8 + length)]);
    at += 8 + length + (length % 2);
  }
  return parts;
}

const SIZE = { width: 300, height: 200 };
const frame = (over: Partial<WebpFrame> = {}): WebpFrame => ({
  x: 10,
  y: 20,
  width: 33,
  height: 44,
  ms: 1500,
  webp: still('VP8 ', Buffer.from('abc')),
  ...over,
});

describe('animatedWebp', () => {
  it('says the size of the picture, that it moves, and each frame with its place and time', () => {
    const film = animatedWebp(SIZE, [frame(), frame({ x: 0, y: 0, webp: still('VP8L', Buffer.from('four')) })]);
    assert.equal(film.toString('latin1', 0, 4) + film.toString('latin1', 8, 12), 'RIFFWEBP');
    assert.equal(film.readUInt32LE(4), film.length - 8);
    const [header, animation, first, second, ...others] = partsOf(film.subarray(12));
    assert.deepEqual(others, []);
    assert.equal(header?.[0], 'VP8X');
    assert.deepEqual([...(header?.[1] ?? [])], [0x12, 0, 0, 0, 43, 1, 0, 199, 0, 0]);
    assert.deepEqual([animation?.[0], animation?.[1].length], ['ANIM', 6]);
    assert.equal(first?.[0], 'ANMF');
    assert.deepEqual([...(first?.[1].subarray(0, 16) ?? [])], [5, 0, 0, 10, 0, 0, 32, 0, 0, 43, 0, 0, 0xdc, 5, 0, 2]);
    assert.deepEqual(partsOf(first?.[1].subarray(16) ?? Buffer.alloc(0)), [['VP8 ', Buffer.from('abc')]]);
    assert.deepEqual(partsOf(second?.[1].subarray(16) ?? Buffer.alloc(0)), [['VP8L', Buffer.from('four')]]);
  });

  it('refuses what the format cannot say', () => {
    for (const over of [{ x: 1 }, { y: 3 }, { x: 280 }, { width: 0 }, { ms: 2 ** 24 }]) {
      assert.throws(() => animatedWebp(SIZE, [frame(over)]), /does not fit into the picture/);
    }
    assert.throws(() => animatedWebp(SIZE, [frame({ webp: Buffer.from('a PNG, it seems') })]), /no WebP/);
    assert.throws(() => animatedWebp(SIZE, [frame({ webp: still('EXIF', Buffer.from('x')) })]), /no image/);
  });
});
