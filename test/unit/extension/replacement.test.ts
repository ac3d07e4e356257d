import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { replacement } from '../../../extension/src/landing/replacement.ts';

describe('the replacement that makes one text of another', () => {
  it('is between what both begin and end with', () => {
    assert.deepEqual(replacement('one two three', 'one 2 three'), { start: 4, end: 7, text: '2' });
    assert.deepEqual(replacement('same', 'same'), { start: 4, end: 4, text: '' });
    assert.deepEqual(replacement('aa', 'aaa'), { start: 2, end: 2, text: 'a' });
  });

  it('gives the other text, and cuts neither a line end nor a character in half', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '\r\n', '\n', '😀', '😁')).map(parts => parts.join(''));
    fc.assert(
      fc.property(text, text, (from, to) => {
        const { start, end, text: middle } = replacement(from, to);
        assert.equal(from.slice(0, start) + middle + from.slice(end), to);
        for (const at of [start, end]) {
          assert.doesNotMatch(`${from[at - 1] ?? ''}|${from[at] ?? ''}`, /^(\r\|\n|[\uD800-\uDBFF]\|[\uDC00-\uDFFF])$/);
        }
      }),
    );
  });
});
