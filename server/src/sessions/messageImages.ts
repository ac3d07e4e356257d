import { SandpiperError } from '../../../protocol/errors.ts';
import type { BlobRef } from '../../../protocol/events.ts';
import { imageTypeOf } from '../../../protocol/imageType.ts';
import { IMAGE_TYPES, MAX_IMAGE_BYTES, type Image } from '../../../protocol/images.ts';
import type { Item, SessionState } from '../../../protocol/session.ts';
import type { BlobStore } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';

type Stores = Pick<Dependencies, 'blobs' | 'agents'>;

/**
 * Stores the images of a message.
 * @throws `invalid_params` for an agent that takes none, and for what is not an image of the type that it says: the model
 *   would refuse it, and with it every later turn of the conversation
 */
export async function storeImages(
  { blobs, agents }: Stores,
  agent: string,
  images: readonly Image[],
): Promise<BlobRef[]> {
  if (images.length > 0 && agents.get(agent)?.takesImages !== true) {
    throw new SandpiperError('invalid_params', `The agent "${agent}" takes no images.`, {
      hint: 'Send the text alone, and describe what the images show.',
    });
  }
  const contents = images.map(({ mediaType, content }) => ({ mediaType, bytes: Buffer.from(content, 'base64') }));
  for (const { mediaType, bytes } of contents) {
    if (imageTypeOf(bytes) !== mediaType) {
      throw new SandpiperError('invalid_params', `An image of the message is not what it says: ${mediaType}.`, {
        hint: 'Send PNG, JPEG, GIF or WebP.',
      });
    }
  }
  return Promise.all(contents.map(async ({ mediaType, bytes }) => ({ ...(await blobs.put(bytes)), mediaType })));
}

/**
 * Stores the images of the message that a session begins with, as the field of its event.
 * @throws `invalid_params` for images without a message, and as `storeImages`
 */
export async function storeFirstImages(
  stores: Stores,
  agent: string,
  { prompt, images = [] }: { prompt?: string | undefined; images?: readonly Image[] | undefined },
): Promise<{ images?: BlobRef[] }> {
  if (images.length === 0) {
    return {};
  }
  if (prompt === undefined) {
    throw new SandpiperError('invalid_params', 'There are images and no message that they could go with.', {
      hint: 'Send a `prompt` too.',
    });
  }
  return { images: await storeImages(stores, agent, images) };
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
