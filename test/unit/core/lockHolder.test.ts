import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isHeldBy } from '../../../server/src/core/lockHolder.ts';

const TABLE = `1: POSIX  ADVISORY  READ  4711 08:01:131073 1073741826 1073742335
2: POSIX  ADVISORY  WRITE 4711 08:01:131074 0 EOF
2: -> POSIX  ADVISORY  WRITE 4712 08:01:131074 0 EOF
3: OFDLCK ADVISORY  WRITE -1 00:1c:99 0 0
`;

describe('who holds a lock', () => {
  it('is the process that writes, by the number of the file', () => {
    assert.equal(isHeldBy(TABLE, 4711, 131_074), true);
    assert.equal(isHeldBy(TABLE, 4711, 131_073), false, 'it only reads');
    assert.equal(isHeldBy(TABLE, 4712, 131_074), false, 'it waits for the lock');
    assert.equal(isHeldBy(TABLE, 47, 131_074), false);
    assert.equal(isHeldBy('', 4711, 131_074), false);
  });
});
