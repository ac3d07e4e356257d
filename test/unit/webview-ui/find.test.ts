import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { findText } from '../../../webview-ui/src/state/find.ts';
import { SessionLog } from '../../support/sessionLog.ts';

describe('finding text in a session', () => {
  const log = new SessionLog();
  log.ready();
  log.turn(1, 'Fix the Login');
  log.tool('t', 'Bash', 'npm test login', { command: 'npm test login', timeout: 5 }, 'login ok\nLOGIN ok');
  log.add({ type: 'textFinished', itemId: 'x', text: { text: 'The login works.' } });
  const { items } = log.state;

  it('finds every place once, oldest first, whatever the case', () => {
    const { matches, more, partly } = findText(items, 'LoGin');
    assert.deepEqual(
      matches.map(({ itemId, nth }) => `${itemId.startsWith('msg') ? 'message' : itemId} ${nth}`),
      ['message 0', 't 0', 't 1', 't 2', 'x 0'],
    );
    assert.deepEqual([more, partly], [false, 0]);
  });

  it('finds what is seen and not the JSON around it', () => {
    assert.equal(findText(items, 'timeout').matches.length, 0);
    assert.equal(findText(items, '').matches.length, 0);
    assert.equal(findText(items, 'no such text').matches.length, 0);
  });

  it('says what it could not search, and stops somewhere', () => {
    const large = new SessionLog();
    large.ready();
    large.turn(1, 'x');
    const blob = { hash: 'f'.repeat(64), bytes: 99_999, mediaType: 'text/plain' };
    large.add({ type: 'textFinished', itemId: 'x', text: { text: 'a'.repeat(6000), blob } });
    const { matches, more, partly } = findText(large.state.items, 'a');
    assert.deepEqual([matches.length, more, partly], [5000, true, 1]);
  });
});
