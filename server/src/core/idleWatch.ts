import type { Disposable } from './disposable.ts';

/** How many looks the idle time is divided into. */
const LOOKS = 20;

/**
 * Resolves `reached` after `idleMs` in which every look found nothing busy. 0 means never.
 * @param isBusy asked from time to time; whatever is busy between two looks only is not seen
 */
export function watchIdle(idleMs: number, isBusy: () => boolean): Disposable & { reached: Promise<void> } {
  if (idleMs === 0) {
    return { reached: new Promise(() => {}), dispose: () => {} };
  }
  let timer: NodeJS.Timeout | undefined;
  let quiet = 0;
  const reached = new Promise<void>(resolve => {
    timer = setInterval(
      () => {
        quiet = isBusy() ? 0 : quiet + 1;
        if (quiet >= LOOKS) {
          clearInterval(timer);
          resolve();
        }
      },
      Math.max(1, Math.ceil(idleMs / LOOKS)),
    );
  });
  return { reached, dispose: () => clearInterval(timer) };
}
