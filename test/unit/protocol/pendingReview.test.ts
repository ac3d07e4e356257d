import assert from 'node:assert/strict';
import { nextPlace } from '../../../protocol/pendingReview.ts';

describe('where a reviewer goes on', () => {
  const places = ['a', 'b', 'c', 'd'].map(key => ({ key }));
  const next = (decided: string, ...left: string[]): string | undefined =>
    nextPlace(places, decided, new Set(left))?.key;

  it('is the next place that is still pending, else the last one before', () => {
    assert.equal(next('b', 'a', 'c', 'd'), 'c');
    assert.equal(next('b', 'a', 'd'), 'd');
    assert.equal(next('d', 'a', 'b'), 'b');
    assert.equal(next('b'), undefined);
  });

  it('is the first one that is left when what was decided is not known', () => {
    assert.equal(next('x', 'c'), 'c');
  });
});
