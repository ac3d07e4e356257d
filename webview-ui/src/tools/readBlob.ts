import type { BlobRef } from '../../../protocol/events.ts';
import type { Host } from '../host/host.ts';

/** More than this is not put into the page: nobody reads it here, and it would make the page slow. */
export const MAX_SHOWN_BYTES = 2_000_000;

/** The bytes of a blob, up to `MAX_SHOWN_BYTES`. @throws {SandpiperError} */
export async function readBlob(host: Pick<Host, 'request'>, sessionId: string, blob: BlobRef): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < Math.min(blob.bytes, MAX_SHOWN_BYTES)) {
    const { content } = await host.request('readBlob', { sessionId, hash: blob.hash, offset: length });
    const part = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    if (part.length === 0) {
      break;
    }
    parts.push(part);
    length += part.length;
  }
  return new Uint8Array(await new Blob(parts.map(part => new Uint8Array(part))).arrayBuffer()).slice(
    0,
    MAX_SHOWN_BYTES,
  );
}

const SHOWABLE_IMAGE = /^image\/(png|jpeg|gif|webp)$/;

export function isShowableImage(mediaType: string): boolean {
  return SHOWABLE_IMAGE.test(mediaType);
}
