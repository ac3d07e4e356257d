import type { BlobRef } from '../../../protocol/events.ts';
import type { Host } from '../host/host.ts';

/* What stands outside the log. It is read only when somebody asks for it, and so is the code for it. */

/** More than this is not put into the page: nobody reads it here, and it would make the page slow. */
export const MAX_SHOWN_BYTES = 2_000_000;

/** A blob as text, up to `MAX_SHOWN_BYTES`. @throws {SandpiperError} */
export async function blobText(host: Pick<Host, 'request'>, sessionId: string, blob: BlobRef): Promise<string> {
  const { readBlob } = await import('./readBlob.ts');
  return new TextDecoder().decode(await readBlob(host, sessionId, blob));
}

/** An image as an address for the page. @throws {SandpiperError} */
export async function blobImage(host: Pick<Host, 'request'>, sessionId: string, blob: BlobRef): Promise<string> {
  const { readBlob, toDataUrl } = await import('./readBlob.ts');
  return toDataUrl(await readBlob(host, sessionId, blob), blob.mediaType);
}

export function isShowableImage(mediaType: string): boolean {
  return /^image\/(png|jpeg|gif|webp)$/.test(mediaType);
}
