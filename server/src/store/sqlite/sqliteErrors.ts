import { SandpiperError, toError } from '../../../../protocol/errors.ts';

/** SQLite's primary result codes that the store tells apart. */
const RESULT = {
  ERROR: 1,
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  TOOBIG: 18,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const;

/** The primary result code of a failed statement, from either driver, or undefined when SQLite did not fail. */
export function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) {
    return undefined;
  }
  // `sqlite3` says errno and code SQLITE_*, `node:sqlite` says errcode and code ERR_SQLITE_ERROR.
  if ('errcode' in thrown && typeof thrown.errcode === 'number') {
    return thrown.errcode & 0xff;
  }
  const fromSqlite = 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('SQLITE_');
  return fromSqlite && 'errno' in thrown && typeof thrown.errno === 'number' ? thrown.errno & 0xff : undefined;
}

/** Whether one change of a group is to blame, so that the others may succeed without it. */
export function isFaultOfOneChange(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === RESULT.CONSTRAINT || code === RESULT.TOOBIG;
}

/**
 * Whether a group that failed as one statement may do better in several, or will at least say why not: the store was not as
 * expected, or SQLite did not read the JSON of an event (it stops at a thousand levels).
 */
export function isForTheCarefulWay(thrown: unknown): boolean {
  return isFaultOfOneChange(thrown) || resultCode(thrown) === RESULT.ERROR;
}

/** Whether somebody else has the lock, for now. */
export function isBusy(thrown: unknown): boolean {
  return resultCode(thrown) === RESULT.BUSY;
}

/** Whether the file is no database or a broken one. */
export function isDamaged(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === RESULT.CORRUPT || code === RESULT.NOTADB;
}

/** Whatever a statement threw, as an error fit for a person. */
export function toStoreError(thrown: unknown, file: string): SandpiperError {
  if (thrown instanceof SandpiperError) {
    return thrown;
  }
  const cause = toError(thrown);
  switch (resultCode(thrown)) {
    case RESULT.FULL:
      return new SandpiperError('disk_full', `There is no room to write ${file}.`, {
        hint: 'Free some disk space; the relay goes on by itself.',
        cause,
      });
    case RESULT.BUSY:
    case RESULT.LOCKED:
      return new SandpiperError('unavailable', `Another program holds ${file} locked.`, {
        hint: 'Close programs that have this database open, then try again.',
        cause,
      });
    case RESULT.CORRUPT:
    case RESULT.NOTADB:
      return new SandpiperError('internal', `The relay's database is damaged: ${cause.message}.`, {
        hint: `Keep ${file}. Run \`sandpiper doctor --deep\` to see what is damaged, and restore a backup into another folder: sandpiper backup restore.`,
        cause,
      });
    case RESULT.CONSTRAINT:
      return new SandpiperError('conflict', `The store refused a change: ${cause.message}.`, { cause });
    case RESULT.TOOBIG:
      return new SandpiperError('too_large', 'A change is larger than the store can hold.', { cause });
    case RESULT.PERM:
    case RESULT.READONLY:
    case RESULT.CANTOPEN:
    case RESULT.IOERR:
      return new SandpiperError('internal', `The relay cannot use its database: ${cause.message}.`, {
        hint: `Check that ${file} and its folder can be written and that the disk is healthy.`,
        cause,
      });
    default:
      return new SandpiperError('internal', `The store failed: ${cause.message}.`, {
        hint: 'This is a defect. Please report it with the log of the relay.',
        cause,
      });
  }
}
