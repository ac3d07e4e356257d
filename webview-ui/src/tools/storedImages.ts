import type { BlobRef } from '../../../protocol/events.ts';
import type { Image } from '../../../protocol/images.ts';
import type { Host } from '../host/host.ts';
import { blobImage } from './blobs.ts';

const TYPES: readonly Image['mediaType'][] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** The images of a message, to be sent once more. @throws {SandpiperError} when one cannot be read */
export async function storedImages(
  host: Pick<Host, 'request'>,
  sessionId: string,
  refs: readonly BlobRef[] = [],
): Promise<Image[]> {
  return Promise.all(
    refs.map(async ref => {
      const url = await blobImage(host, sessionId, ref);
      const mediaType = TYPES.find(type => type === ref.mediaType) ?? 'image/png';
      return { mediaType, content: url.slice(url.indexOf(',') + 1) };
    }),
  );
}
