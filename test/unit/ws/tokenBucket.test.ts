import { strict as assert } from 'node:assert';
import { TokenBucket } from '../../../server/src/ws/tokenBucket.ts';

describe('TokenBucket', () => {
  it('gives a burst, then says how long to wait, and fills up again no further than the burst', () => {
    const bucket = new TokenBucket(3, 10, 0);
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 0, 100]);
    assert.deepEqual([bucket.take(50), bucket.take(100), bucket.take(100)], [50, 0, 100]);
    assert.deepEqual(
      [10_000, 10_000, 10_000, 10_000].map(now => bucket.take(now)),
      [0, 0, 0, 100],
    );
  });

  it('takes no harm from a clock that goes back', () => {
    const bucket = new TokenBucket(1, 10, 1_000);
    assert.deepEqual([bucket.take(1_000), bucket.take(500), bucket.take(600)], [0, 100, 0]);
  });
});
