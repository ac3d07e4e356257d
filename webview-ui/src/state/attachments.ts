import { signal } from '@preact/signals';
import type { Image } from '../../../protocol/images.ts';

/* Images that wait in the composer, by session. They are not drafts: a reload of the page forgets them. */

const waiting = signal<ReadonlyMap<string, readonly Image[]>>(new Map());

export function attached(sessionId: string): readonly Image[] {
  return waiting.value.get(sessionId) ?? [];
}

/** Adds files, made small enough to be sent. @throws for what is no image, and for too many */
export async function attachImages(sessionId: string, files: readonly File[]): Promise<void> {
  const { readImages } = await import('../tools/readImages.ts');
  const images = await readImages(files, attached(sessionId));
  set(sessionId, [...attached(sessionId), ...images]);
}

export function detachImage(sessionId: string, image: Image): void {
  set(
    sessionId,
    attached(sessionId).filter(other => other !== image),
  );
}

/** Puts images of a message that was taken back into the composer again. */
export function attachAgain(sessionId: string, images: readonly Image[]): void {
  if (images.length > 0) {
    set(sessionId, [...images, ...attached(sessionId)]);
  }
}

/** The images of the message that is sent now; the next one begins without. */
export function takeImages(sessionId: string): Image[] {
  const images = [...attached(sessionId)];
  if (images.length > 0) {
    set(sessionId, []);
  }
  return images;
}

function set(sessionId: string, images: readonly Image[]): void {
  waiting.value = new Map([...waiting.peek(), [sessionId, images]]);
}
