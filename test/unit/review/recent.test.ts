import assert from 'node:assert/strict';
import { Recent } from '../../../server/src/review/recent.ts';

describe('answers that never change', () => {
  const asked: string[] = [];
  const ask = (key: string) => async () => {
    asked.push(key);
    return key;
  };

  it('are asked for once, as long as they have room; those used last the longest', async () => {
    const recent = new Recent<string>({ answers: 2, weight: 100 }, answer => answer.length);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) {
      assert.equal(await recent.get(key, ask(key)), key);
    }
    assert.deepEqual(asked, ['a', 'b', 'c', 'b']);
  });

  it('have room by their weight', async () => {
    const recent = new Recent<string>({ answers: 10, weight: 5 }, answer => answer.length);
    asked.length = 0;
    for (const key of ['aaa', 'bbb', 'aaa', 'too long for all', 'too long for all']) {
      await recent.get(key, ask(key));
    }
    assert.deepEqual(asked, ['aaa', 'bbb', 'aaa', 'too long for all', 'too long for all']);
  });

  it('are asked for again when they failed', async () => {
    const recent = new Recent<string>({ answers: 2, weight: 100 }, () => 1);
    await assert.rejects(recent.get('a', () => Promise.reject(new Error('no'))));
    assert.equal(await recent.get('a', ask('a')), 'a');
  });
});
