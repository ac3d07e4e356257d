import assert from 'node:assert/strict';
import { recall } from '../../../webview-ui/src/state/recall.ts';

describe('recall', () => {
  const history = ['third', 'second\nwith two lines', 'first'];

  it('goes back through what was sent and forward to the empty field', () => {
    let value = '';
    const seen = (['ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp'] as const).map(key => {
      const next = recall(history, value, 0, key);
      value = next ?? value;
      return next;
    });
    assert.deepEqual(seen, [...history, undefined]);
    assert.equal(recall(history, 'first', 5, 'ArrowDown'), history[1]);
    assert.equal(recall(history, 'third', 5, 'ArrowDown'), '');
  });

  it('leaves the key to the cursor in a text of the person, and inside of several lines', () => {
    assert.equal(recall(history, 'half a thought', 0, 'ArrowUp'), undefined);
    assert.equal(recall(history, history[1] ?? '', 20, 'ArrowUp'), undefined);
    assert.equal(recall(history, history[1] ?? '', 3, 'ArrowDown'), undefined);
    assert.equal(recall(history, history[1] ?? '', 3, 'ArrowUp'), 'first');
    assert.equal(recall([], '', 0, 'ArrowUp'), undefined);
    assert.equal(recall(history, '', 0, 'ArrowDown'), undefined);
  });
});
