import { SandpiperError } from '../../../protocol/errors.ts';
import type { BlobRef } from '../../../protocol/events.ts';
import { IMAGE_TYPES, MAX_IMAGE_BYTES, type Image } from '../../../protocol/images.ts';
import type { Item, SessionState } from '../../../protocol/session.ts';
import type { BlobStore } from '../store/store.ts';

/** How a content of each type begins, in hexadecimal. */
const SIGNATURES: Record<Image['mediaType'], RegExp> = {
  'image/png': /^89504e470d0a1a0a/,
  'image/jpeg': /^ffd8ff/,
  'image/gif': /^47494638(37|39)61/,
  'image/webp': /^52494646[0-9a-f]{8}57454250/,
};

/**
 * Stores the images of a message.
 * @throws `invalid_params` for what is not an image of the type that it says: the model would refuse it, and with it every
 *   later turn of the conversation
 */
export async function storeImages(blobs: BlobStore, images: readonly Image[]): Promise<BlobRef[]> {
  const contents = images.map(({ mediaType, content }) => ({ mediaType, bytes: Buffer.from(content, 'base64') }));
  for (const { mediaType, bytes } of contents) {
    if (!SIGNATURES[mediaType].test(bytes.subarray(0, 16).toString('hex'))) {
      throw new SandpiperError('invalid_params', `An image of the message is not what it says: ${mediaType}.`, {
        hint: 'Send PNG, JPEG, GIF or WebP.',
      });
    }
  }
  return Promise.all(contents.map(async ({ mediaType, bytes }) => ({ ...(await blobs.put(bytes)), mediaType })));
}

/** The images of a message as the agent gets them. One that is gone is left out: the text still goes. */
export async function loadImages(blobs: BlobStore, state: SessionState, messageId: string): Promise<Image[]> {
  const message = state.items.find(
    (item): item is Extract<Item, { kind: 'message' }> => item.kind === 'message' && item.id === messageId,
  );
  const loaded = await Promise.all(
    (message?.images ?? []).map(async ({ hash, mediaType }): Promise<Image[]> => {
      const blob = await blobs.read(hash, 0, MAX_IMAGE_BYTES);
      const type = IMAGE_TYPES.find(known => known === mediaType);
      return blob && type ? [{ mediaType: type, content: blob.content.toString('base64') }] : [];
    }),
  );
  return loaded.flat();
}
