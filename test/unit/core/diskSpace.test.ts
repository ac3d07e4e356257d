import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'mocha';
import { SandpiperError } from '../../../protocol/errors.ts';
import { explainDiskFull, requireRoom } from '../../../server/src/core/diskSpace.ts';

describe('a full disk', () => {
  it('is seen as the cause of a failure, however it is said', () => {
    const failures = [
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
      new SandpiperError('git_failed', 'Cloning failed: error: unable to write file: No space left on device'),
      new Error('outer', { cause: Object.assign(new Error('quota'), { code: 'EDQUOT' }) }),
    ];
    for (const failure of failures) {
      const explained = explainDiskFull(failure);
      assert.ok(explained instanceof SandpiperError);
      assert.equal(explained.code, 'disk_full');
      assert.match(explained.hint ?? '', /Free some disk space/);
    }
  });

  it('is not blamed for anything else', () => {
    const other = new SandpiperError('git_failed', 'No such commit');
    assert.equal(explainDiskFull(other), other);
    assert.equal(explainDiskFull('text'), 'text');
  });

  it('is not found where there is room', async () => {
    await requireRoom(tmpdir());
  });
});
