import { stat } from 'node:fs/promises';
import type { Disposable } from './disposable.ts';

const LOOK_MS = 1000;

/**
 * Watches that a file stays the one it is. What is written to a file that was removed or moved away is lost without an
 * error, so its owner must hear of it. `lost` resolves once, soon after the file is another or gone.
 * @throws when the file is not there to begin with
 */
export async function guardFile(file: string): Promise<Disposable & { lost: Promise<void> }> {
  const first = await stat(file, { bigint: true });
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<void>(resolve => {
    timer = setInterval(() => {
      stat(file, { bigint: true })
        .then(
          now => now.ino !== first.ino || now.dev !== first.dev,
          // A disk that does not answer for a moment is not gone.
          (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
        )
        .then(
          isLost => {
            if (isLost) {
              clearInterval(timer);
              resolve();
            }
          },
          () => {},
        );
    }, LOOK_MS).unref();
  });
  return { lost, dispose: () => clearInterval(timer) };
}
