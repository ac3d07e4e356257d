import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { idPattern, newId } from '../../../protocol/ids.ts';

describe('ids', () => {
  it('sorts by creation and fits its pattern', () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [first, second] = [newId('ses', Math.min(one, other)), newId('ses', Math.max(one, other))];
        assert.match(first, idPattern('ses'));
        assert.ok(one === other || first < second);
      }),
    );
  });

  it('never makes the same twice', () => {
    assert.equal(new Set(Array.from({ length: 10_000 }, () => newId('key', 1))).size, 10_000);
  });

  it('lets nothing through that could be a path or another kind', () => {
    for (const id of [
      '',
      'ses_',
      `ses_${'a'.repeat(25)}/`,
      `msg_${'0'.repeat(26)}`,
      `ses_${'0'.repeat(26)}\n`,
      '../x',
    ]) {
      assert.doesNotMatch(id, idPattern('ses'), JSON.stringify(id));
    }
  });
});
