import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { chooseDriver, CONNECT } from './openDatabase.ts';
import { resultCode } from './sqliteErrors.ts';

export interface RelayLock {
  release(): Promise<void>;
}

/**
 * Takes the one lock of a data folder for as long as this process lives. It is SQLite's own file lock on an empty
 * database, so the system gives it back when the process dies, however it dies; there is no stale lock to judge. A
 * process that was stopped keeps it.
 * @returns undefined while another process holds it
 */
export async function tryRelayLock(file: string, log: Logger): Promise<RelayLock | undefined> {
  const connection = await CONNECT[await chooseDriver({ log })](file, { readOnly: false });
  try {
    await connection.execute('pragma busy_timeout = 0', []);
    await connection.execute('begin exclusive', []);
  } catch (error) {
    await connection.close();
    log.log('debug', 'store', 'The lock of the data folder is held', {
      code: resultCode(error),
      cause: toError(error).message,
    });
    return undefined;
  }
  return { release: () => connection.close() };
}

/** The same for whoever has no use for a folder that a relay works on. @throws `conflict` while another process holds it */
export async function acquireRelayLock(file: string, log: Logger): Promise<RelayLock> {
  const lock = await tryRelayLock(file, log);
  if (!lock) {
    throw new SandpiperError('conflict', 'Another relay uses the data folder.', {
      hint: 'Use that one, or choose another folder with SANDPIPER_DATA.',
    });
  }
  return lock;
}
