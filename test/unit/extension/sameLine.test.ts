import assert from 'node:assert/strict';
import { sameLine } from '../../../extension/src/blame/sameLine.ts';

describe('the same line of another text', () => {
  const one = ['a', '}', 'b', '}', 'only here', 'c'];

  it('is where it stands alone, or between the same lines', () => {
    const other = ['new', 'a', '}', 'b', '}', 'x', 'only here', 'y', 'c'];
    assert.deepEqual(
      one.map((_, line) => sameLine(one, other, line)),
      [1, 2, 3, 4, 6, 8],
    );
  });

  it('is nowhere when that cannot be told', () => {
    assert.equal(sameLine(one, ['x', '}', 'y'], 1), undefined);
    assert.equal(sameLine(one, [], 0), undefined);
    assert.equal(sameLine(one, one, 9), undefined);
    assert.equal(sameLine(['p', 'almost the same words here'], ['almost the very same words here'], 1), undefined);
  });
});
