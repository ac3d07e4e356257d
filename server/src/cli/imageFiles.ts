import { readFile, stat } from 'node:fs/promises';
import { SandpiperError } from '../../../protocol/errors.ts';
import { imageTypeOf } from '../../../protocol/imageType.ts';
import { MAX_IMAGE_BYTES, MAX_IMAGES, MAX_IMAGES_CHARS, type Image } from '../../../protocol/images.ts';

/**
 * Files as images of a message, as they are: unlike the chat page, a terminal cannot draw them smaller.
 * @throws `invalid_params` for what cannot be read or is no image, `too_large` for too large and for too many
 */
export async function readImageFiles(paths: readonly string[]): Promise<Image[]> {
  if (paths.length > MAX_IMAGES) {
    throw tooMany();
  }
  const images: Image[] = [];
  for (const path of paths) {
    images.push(await readImageFile(path));
  }
  if (images.reduce((sum, { content }) => sum + content.length, 0) > MAX_IMAGES_CHARS) {
    throw tooMany();
  }
  return images;
}

async function readImageFile(path: string): Promise<Image> {
  const content = await readWhole(path).catch((thrown: unknown) => {
    if (thrown instanceof SandpiperError) {
      throw thrown;
    }
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SandpiperError('invalid_params', `The image cannot be read: ${why}`, { cause: thrown });
  });
  const mediaType = imageTypeOf(content);
  if (!mediaType) {
    throw new SandpiperError('invalid_params', `"${path}" is not an image.`, { hint: 'Use PNG, JPEG, GIF or WebP.' });
  }
  return { mediaType, content: content.toString('base64') };
}

async function readWhole(path: string): Promise<Buffer> {
  // Before it is opened: a pipe would be waited for, a device has no end.
  const found = await stat(path);
  if (!found.isFile()) {
    throw new SandpiperError('invalid_params', `"${path}" is not a file.`);
  }
  if (found.size > MAX_IMAGE_BYTES) {
    throw new SandpiperError('too_large', `"${path}" has ${found.size} bytes; an image may have ${MAX_IMAGE_BYTES}.`, {
      hint: 'Make it smaller: the model sees no more than 1568 pixels along an edge.',
    });
  }
  return readFile(path);
}

function tooMany(): SandpiperError {
  return new SandpiperError('too_large', `A message takes ${MAX_IMAGES} images, of about 2.5 MB together.`, {
    hint: 'Send the others with another message.',
  });
}
