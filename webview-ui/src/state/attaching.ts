import type { Drafts } from './drafts.ts';

/* What brings images into a draft. */

/** Adds files, made small enough to be sent. @throws for what is no image, and for too many */
export async function attachImages(drafts: Drafts, draftId: string, files: readonly File[]): Promise<void> {
  const { readImages } = await import('../tools/readImages.ts');
  const images = await readImages(files, drafts.imagesOf(draftId));
  drafts.setImages(draftId, [...drafts.imagesOf(draftId), ...images]);
}

/** Has the person choose files, by the dialog or the camera of their device. None when they choose none. */
export function chooseImages(): Promise<readonly File[]> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = 'image/*';
    input.multiple = true;
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}
