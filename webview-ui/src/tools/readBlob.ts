import type { BlobRef } from '../../../protocol/events.ts';
import type { Host } from '../host/host.ts';
import { MAX_SHOWN_BYTES } from './blobs.ts';

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

export function toDataUrl(content: Uint8Array, mediaType: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(typeof reader.result === 'string' ? reader.result : ''));
    reader.addEventListener('error', () => reject(reader.error ?? new Error('The image could not be read.')));
    reader.readAsDataURL(new Blob([new Uint8Array(content)], { type: mediaType }));
  });
}
