import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { snippetOf, termsOf } from '../../../server/src/search/query.ts';
import { textsOf } from '../../../server/src/search/textsOf.ts';
import { SessionLog } from '../../support/sessionLog.ts';

describe('a query', () => {
  it('is words, and what is in quotes', () => {
    assert.deepEqual(termsOf('  fix "the login"  test"x '), ['fix', 'the login', 'test"x']);
    for (const empty of ['', '   ', '""', '" "']) {
      assert.throws(() => termsOf(empty), { code: 'invalid_params' });
    }
  });
});

describe('a snippet', () => {
  it('is one line around the first word, with every word marked', () => {
    const { text, marks } = snippetOf(`${'a '.repeat(200)}\nThe LOGIN of login\n${'b '.repeat(200)}`, ['login', 'of']);
    assert.match(text, /^….* The LOGIN of login .*…$/);
    assert.deepEqual(
      marks.map(([from, to]) => text.slice(from, to)),
      ['LOGIN', 'of', 'login'],
    );
  });

  it('cuts no character in two', () => {
    const { text } = snippetOf(`${'😀'.repeat(101)}x${'😀'.repeat(301)}`, ['x']);
    assert.equal(text, text.toWellFormed());
  });
});

describe('what can be found', () => {
  it('is what people and agents say, without JSON, and not what was taken back', () => {
    const log = new SessionLog();
    log.ready();
    const messages = log.turn(1, 'Please fix it');
    log.tool('t', 'Bash', 'npm test', { command: 'npm test', description: 'Run tests', timeout: 5 }, 'all passed');
    log.add({ type: 'noticeRaised', level: 'info', text: 'Careful', hint: 'Look' });
    const queued = messages[0]?.body;
    assert.ok(queued?.type === 'messageQueued');
    log.add({ type: 'messageWithdrawn', messageId: queued.messageId, by: 'you' });
    const { texts, gone } = textsOf(log.events);
    assert.deepEqual(
      texts.map(({ kind, text }) => [kind, text]),
      [
        ['title', 'Fix the flaky login test'],
        ['message', 'Please fix it'],
        ['tool', 'npm test\nRun tests'],
        ['tool', 'all passed'],
        ['notice', 'Careful\nLook'],
      ],
    );
    assert.deepEqual(gone, [queued.messageId]);
  });
});
