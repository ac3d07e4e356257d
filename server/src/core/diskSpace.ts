import { statfs } from 'node:fs/promises';
import { SandpiperError } from '../../../protocol/errors.ts';

/** With less than this no work is begun: it could not be finished, and what runs already needs the rest. */
const MIN_FREE_BYTES = 32 * 1024 * 1024;

const HINT = 'Free some disk space, then go on: nothing is lost.';

/** @throws `disk_full` when new work has no room in this folder */
export async function requireRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < MIN_FREE_BYTES) {
    throw new SandpiperError('disk_full', `The disk that holds ${folder} is full: new work needs some room.`, {
      hint: HINT,
    });
  }
}

/**
 * The failure as `disk_full` where a full disk is its cause, else as it is. Programs such as git say it only in words.
 */
export function explainDiskFull(error: unknown): unknown {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const isFull = 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
    if (isFull || /no space left on device|disk quota exceeded/i.test(cause.message)) {
      return new SandpiperError('disk_full', `The disk is full: ${cause.message}`, { hint: HINT, cause: error });
    }
  }
  return error;
}
