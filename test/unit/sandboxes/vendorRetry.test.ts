import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FAILURE_KINDS } from '../../../server/src/sandboxes/vendors/vendorFailure.ts';
import {
  BREAKER_WHOLE,
  breakerAfter,
  breakerAllows,
  retryPauseMs,
} from '../../../server/src/sandboxes/vendors/vendorRetry.ts';

const failure = (kind: (typeof FAILURE_KINDS)[number], retryAfterMs?: number) => ({ kind, retryAfterMs });

describe('retrying at a vendor', () => {
  it('does not repeat what an answer has settled', () => {
    for (const kind of ['gone', 'asleep', 'refused', 'impossible', 'diskFull'] as const) {
      assert.equal(retryPauseMs(failure(kind), 1, 0.5), undefined, kind);
    }
  });

  it('waits longer each time, never for the same length, and gives up', () => {
    const pauses = [1, 2, 3, 4, 5].map(attempts => retryPauseMs(failure('broken'), attempts, 1));
    assert.deepEqual(pauses, [250, 500, 1000, 2000, undefined]);
    assert.equal(retryPauseMs(failure('broken'), 3, 0), 500);
  });

  it('waits as long as it is asked to, and not for one that asks too much', () => {
    assert.equal(retryPauseMs(failure('limited', 7000), 1, 0), 7000);
    assert.equal(retryPauseMs(failure('limited', 60_000), 1, 0), undefined);
  });

  it('always gives up after a few attempts', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FAILURE_KINDS), fc.double({ min: 0, max: 1, noNaN: true }), (kind, random) => {
        assert.equal(retryPauseMs(failure(kind), 10, random), undefined);
      }),
    );
  });
});

describe('the breaker of a line to a vendor', () => {
  it('opens after failures without an answer, and closes with the first answer', () => {
    let state = BREAKER_WHOLE;
    for (let failures = 0; failures < 8; failures++) {
      assert.equal(breakerAllows(state, 1000), true);
      state = breakerAfter(state, 'broken', 1000);
    }
    assert.equal(breakerAllows(state, 1000), false);
    assert.equal(breakerAllows(state, 15_999), false);
    assert.equal(breakerAllows(state, 16_000), true);
    assert.equal(breakerAllows(breakerAfter(state, 'busy', 16_000), 16_001), false);
    assert.deepEqual(breakerAfter(state, undefined, 16_000), BREAKER_WHOLE);
    assert.deepEqual(breakerAfter(state, 'gone', 16_000), BREAKER_WHOLE);
  });
});
