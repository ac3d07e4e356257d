import { SandpiperError } from '../../../protocol/errors.ts';
import type { Image } from '../../../protocol/images.ts';
import { t } from '../../../protocol/text.ts';

/* The limits of protocol/images.ts, without its schemas, which would bring zod into the page. */
const MAX_IMAGES = 8;
const MAX_IMAGE_CHARS = 1_300_000;
const MAX_ALL_CHARS = 3_600_000;
/** The model scales larger images down itself: more pixels cost bytes and say nothing. */
const MAX_EDGE_PX = 1568;
const TYPES: readonly Image['mediaType'][] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/**
 * Files as images of a message. What is too large is drawn smaller, and as JPEG when that is not enough.
 * @throws `invalid_params` for what this page cannot read as an image, `too_large` for too many
 */
export async function readImages(files: readonly File[], before: readonly Image[]): Promise<Image[]> {
  const images: Image[] = [];
  for (const file of files) {
    images.push(await readImage(file));
  }
  const chars = [...before, ...images].reduce((sum, { content }) => sum + content.length, 0);
  if (before.length + images.length > MAX_IMAGES || chars > MAX_ALL_CHARS) {
    throw new SandpiperError('too_large', t('A message takes {0} images, of about 2.5 MB together.', MAX_IMAGES), {
      hint: t('Send the others with another message.'),
    });
  }
  return images;
}

async function readImage(file: File): Promise<Image> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) {
    throw new SandpiperError('invalid_params', t('"{0}" is not an image that can be shown here.', file.name), {
      hint: t('Use PNG, JPEG, GIF or WebP.'),
    });
  }
  const { width, height } = bitmap;
  const mediaType = TYPES.find(type => type === file.type);
  const scale = Math.min(1, MAX_EDGE_PX / Math.max(width, height));
  if (mediaType && scale === 1 && file.size * 1.34 < MAX_IMAGE_CHARS) {
    bitmap.close();
    return { mediaType, content: await base64Of(file) };
  }
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const png = await canvas.convertToBlob({ type: 'image/png' });
  if (png.size * 1.34 < MAX_IMAGE_CHARS) {
    return { mediaType: 'image/png', content: await base64Of(png) };
  }
  return {
    mediaType: 'image/jpeg',
    content: await base64Of(await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 })),
  };
}

function base64Of(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => {
      const url = typeof reader.result === 'string' ? reader.result : '';
      resolve(url.slice(url.indexOf(',') + 1));
    });
    reader.addEventListener('error', () => reject(reader.error ?? new Error('The image could not be read.')));
    reader.readAsDataURL(blob);
  });
}
