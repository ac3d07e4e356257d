import { writeFile } from 'node:fs/promises';
import type { EditorStage } from '../../test/support/editorStage.ts';
import { animatedWebp, type WebpFrame } from './animatedWebp.ts';

export type Page = Awaited<ReturnType<EditorStage['openWindow']>>;

/** Good for text; half of it shows rings around letters. */
const QUALITY = 0.85;

/** What a window shows from moment to moment, as one animated picture. */
export class Film {
  readonly #page: Page;
  readonly #shots: { png: string; ms: number }[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** @param ms how long a reader sees it */
  async shot(ms: number): Promise<void> {
    this.#shots.push({ png: (await this.#page.screenshot()).toString('base64'), ms });
  }

  /** Writes it, with only what changed of each picture. */
  async write(path: string): Promise<void> {
    const size = this.#page.viewportSize();
    if (!size) {
      throw new Error('The window has no size of its own.');
    }
    const browser = this.#page.context().browser();
    const desk = await browser?.newPage();
    if (!desk) {
      throw new Error('There is no browser to draw in.');
    }
    // Only a page of this machine, and not an empty one, may decode a film. This one is a word without scripts.
    await desk.goto(new URL('/version', this.#page.url()).href);
    const frames: WebpFrame[] = [];
    let before: string | undefined;
    for (const { png, ms } of this.#shots) {
      const changed = await desk.evaluate(changedPart, { before, now: png, quality: QUALITY });
      const last = frames.at(-1);
      if (changed) {
        frames.push({ ...changed, ms, webp: Buffer.from(changed.webp, 'base64') });
      } else if (last) {
        last.ms += ms;
      }
      before = png;
    }
    const film = animatedWebp(size, frames);
    await desk.evaluate(requireFrames, { webp: film.toString('base64'), count: frames.length });
    await writeFile(path, film);
    await desk.close();
  }
}

/** Runs in the browser: the smallest part of a picture that is not as before, as WebP; undefined when all of it is. */
async function changedPart({ before, now, quality }: { before: string | undefined; now: string; quality: number }) {
  const draw = async (png: string) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context?.drawImage(image, 0, 0);
    return { canvas, pixels: context?.getImageData(0, 0, image.width, image.height).data };
  };
  const { canvas, pixels } = await draw(now);
  const old = before === undefined ? undefined : (await draw(before)).pixels;
  let [left, top, right, bottom] = old ? [canvas.width, canvas.height, 0, 0] : [0, 0, canvas.width, canvas.height];
  for (let index = 0; old && pixels && index < pixels.length; index += 4) {
    if (pixels[index] !== old[index] || pixels[index + 1] !== old[index + 1] || pixels[index + 2] !== old[index + 2]) {
      const [x, y] = [(index / 4) % canvas.width, Math.floor(index / 4 / canvas.width)];
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x + 1),
        Math.max(bottom, y + 1),
      ];
    }
  }
  if (right <= left || bottom <= top) {
    return undefined;
  }
  const [x, y] = [left - (left % 2), top - (top % 2)];
  const [width, height] = [right - x, bottom - y];
  const part = new OffscreenCanvas(width, height);
  part.getContext('2d')?.drawImage(canvas, x, y, width, height, 0, 0, width, height);
  const bytes = new Uint8Array(await (await part.convertToBlob({ type: 'image/webp', quality })).arrayBuffer());
  let text = '';
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return { x, y, width, height, webp: btoa(text) };
}

/** Runs in the browser, which must find every frame in the film. */
async function requireFrames({ webp, count }: { webp: string; count: number }): Promise<void> {
  const data = Uint8Array.from(atob(webp), character => character.charCodeAt(0));
  const decoder = new ImageDecoder({ type: 'image/webp', data });
  await decoder.tracks.ready;
  const found = decoder.tracks.selectedTrack?.frameCount;
  await decoder.decode({ frameIndex: count - 1 });
  if (found !== count) {
    throw new Error(`The film has ${found} frames and not ${count}.`);
  }
}
