import assert from 'node:assert/strict';
import { userText } from '../../../extension/src/userText.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

describe('what a person reads of an error', () => {
  it('is two sentences, also when the first is of a vendor who sets no mark', () => {
    const text = (message: string, hint?: string) => userText(new SandpiperError('unavailable', message, { hint }));
    assert.equal(text('No room.', 'wait a little.'), 'No room. Wait a little.');
    assert.equal(text('no room', 'Wait a little.'), 'no room. Wait a little.');
    assert.equal(text('no room'), 'no room');
  });
});
