import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { chooseDriver, CONNECT } from './openDatabase.ts';

export interface RelayLock {
  release(): Promise<void>;
}

/**
 * Takes the one lock of a data folder for as long as this process lives. It is SQLite's own file lock on an empty
 * database, so the system gives it back when the process dies, however it dies; there is no stale lock to judge.
 * @throws `conflict` while another relay holds it
 */
export async function acquireRelayLock(file: string, log: Logger): Promise<RelayLock> {
  const connection = await CONNECT[await chooseDriver({ log })](file, { readOnly: false });
  try {
    await connection.execute('pragma busy_timeout = 0', []);
    await connection.execute('begin exclusive', []);
  } catch (error) {
    await connection.close();
    throw new SandpiperError('conflict', `Another relay uses the data folder: ${toError(error).message}.`, {
      hint: 'Use that one, or choose another folder with SANDPIPER_DATA.',
      cause: error,
    });
  }
  return { release: () => connection.close() };
}
