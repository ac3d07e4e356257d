import assert from 'node:assert/strict';
import { isFaultOfOneChange, toStoreError } from '../../../server/src/store/sqlite/sqliteErrors.ts';

describe('sqliteErrors', () => {
  const ofSqlite3 = (errno: number, code: string) => Object.assign(new Error(`${code}: text`), { errno, code });
  const ofNode = (errcode: number) => Object.assign(new Error('text'), { code: 'ERR_SQLITE_ERROR', errcode });

  it('maps the codes of both drivers, extended ones too', () => {
    const cases = [
      [ofSqlite3(13, 'SQLITE_FULL'), 'disk_full'],
      [ofNode(13), 'disk_full'],
      [ofSqlite3(5, 'SQLITE_BUSY'), 'unavailable'],
      [ofNode(261), 'unavailable'],
      [ofSqlite3(6, 'SQLITE_LOCKED'), 'unavailable'],
      [ofSqlite3(11, 'SQLITE_CORRUPT'), 'internal'],
      [ofNode(267), 'internal'],
      [ofSqlite3(26, 'SQLITE_NOTADB'), 'internal'],
      [ofNode(1555), 'conflict'],
      [ofSqlite3(18, 'SQLITE_TOOBIG'), 'too_large'],
      [ofNode(778), 'internal'],
      [new Error('a defect'), 'internal'],
    ] as const;
    for (const [thrown, code] of cases) {
      assert.equal(toStoreError(thrown, '/data/store.db').code, code, thrown.message);
    }
  });

  it('names the file where a person has to act on it', () => {
    assert.match(toStoreError(ofNode(26), '/data/store.db').hint ?? '', /\/data\/store\.db/);
    assert.match(toStoreError(ofNode(13), '/data/store.db').message, /\/data\/store\.db/);
  });

  it('does not take the errno of the system for one of SQLite', () => {
    const enoent = Object.assign(new Error('ENOENT'), { errno: -2, code: 'ENOENT' });
    assert.equal(toStoreError(enoent, 'x').code, 'internal');
    assert.equal(isFaultOfOneChange(enoent), false);
    assert.equal(isFaultOfOneChange(ofNode(1555)), true);
    assert.equal(isFaultOfOneChange(ofNode(13)), false);
  });
});
