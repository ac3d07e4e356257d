import { open } from 'node:fs/promises';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { chooseDriver, CONNECT, type SqliteDriverName } from './openDatabase.ts';
import { toStoreError } from './sqliteErrors.ts';

/**
 * Copies a database as it is at one moment, packed, into a new file (mode 0600). The source is only read, and whoever
 * writes it is not held up.
 * @throws `not_found` when there is none; `internal` when it is damaged; `disk_full`
 */
export async function copyDatabase(
  file: string,
  target: string,
  options: { log: Logger; driver?: SqliteDriverName },
): Promise<void> {
  await requireDatabase(file);
  // SQLite fills an empty file; made by SQLite it could be read by others.
  await (await open(target, 'wx', 0o600)).close();
  const connection = await CONNECT[await chooseDriver(options)](file, { readOnly: true });
  try {
    await connection.execute('vacuum into ?', [target]);
  } catch (error) {
    throw toStoreError(error, file);
  } finally {
    await connection.close();
  }
}

/** @throws `not_found` when there is no such file, or it cannot be read */
export async function requireDatabase(file: string): Promise<void> {
  try {
    await (await open(file, 'r')).close();
  } catch (error) {
    throw new SandpiperError('not_found', `There is no database ${file} that can be read.`, {
      hint: 'Name the data folder of a relay with SANDPIPER_DATA.',
      cause: error,
    });
  }
}
