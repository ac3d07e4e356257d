/*
 * An animated WebP out of still ones, by the container format that Google describes (RIFF; all numbers little-endian). The
 * stills are what a browser's canvas gives: one image, lossy or not, without metadata that matters.
 */

/** A still that replaces a part of the picture. */
export interface WebpFrame {
  /** Both even: the format has half of them. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** How long the picture then stays. */
  ms: number;
  webp: Buffer;
}

const ANIMATION = 0x02;
const ALPHA = 0x10;
/** The new pixels stand as they are, and stay. */
const NO_BLENDING = 0x02;
const IMAGE_PARTS = new Set(['ALPH', 'VP8 ', 'VP8L']);
const MAX_24 = 0xff_ffff;

/**
 * The frames as one animation that begins again at its end.
 * @throws for a still that is no WebP, and for one that does not fit into the picture
 */
export function animatedWebp(size: { width: number; height: number }, frames: readonly WebpFrame[]): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt8(ANIMATION | ALPHA, 0);
  header.writeUIntLE(size.width - 1, 4, 3);
  header.writeUIntLE(size.height - 1, 7, 3);
  const parts = [
    chunk('VP8X', header),
    // Background without colour; repeated without end.
    chunk('ANIM', Buffer.alloc(6)),
    ...frames.map(frame => chunk('ANMF', frameBody(size, frame))),
  ];
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...parts]));
}

function frameBody(size: { width: number; height: number }, { x, y, width, height, ms, webp }: WebpFrame): Buffer {
  const fits = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= size.width && y + height <= size.height;
  if (!fits || x % 2 !== 0 || y % 2 !== 0 || ms < 0 || ms > MAX_24) {
    throw new Error(`A frame of ${width}x${height} at ${x},${y} for ${ms} ms does not fit into the picture.`);
  }
  const head = Buffer.alloc(16);
  for (const [index, value] of [x / 2, y / 2, width - 1, height - 1, ms].entries()) {
    head.writeUIntLE(value, index * 3, 3);
  }
  head.writeUInt8(NO_BLENDING, 15);
  return Buffer.concat([head, ...imageParts(webp)]);
}

/** What a still consists of, without its container. */
function imageParts(webp: Buffer): Buffer[] {
  if (webp.toString('latin1', 0, 4) !== 'RIFF' || webp.toString('latin1', 8, 12) !== 'WEBP') {
    throw new Error('A still is no WebP.');
  }
  const parts: Buffer[] = [];
  for (let at = 12; at + 8 <= webp.length;) {
    const length = webp.readUInt32LE(at + 4);
    const end = at + 8 + length;
    if (IMAGE_PARTS.has(webp.toString('latin1', at, at + 4))) {
      parts.push(padded(webp.subarray(at, end)));
    }
    at = end + (length % 2);
  }
  if (parts.length === 0) {
    throw new Error('A still has no image.');
  }
  return parts;
}

function chunk(name: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return padded(Buffer.concat([head, body]));
}

function padded(part: Buffer): Buffer {
  return part.length % 2 === 0 ? part : Buffer.concat([part, Buffer.alloc(1)]);
}
