import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LandingQueue } from '../../../server/src/sessions/landingQueue.ts';

describe('landings of a session', () => {
  it('come one after the other, also after one that failed; other sessions do not wait', async () => {
    const queue = new LandingQueue();
    const order: string[] = [];
    let release: () => void = () => {};
    const first = queue.run('one', async () => {
      await new Promise<void>(resolve => (release = resolve));
      order.push('first');
      throw new Error('refused');
    });
    const second = queue.run('one', async () => order.push('second'));
    await queue.run('two', async () => order.push('other'));
    release();
    await assert.rejects(first, /refused/);
    await second;
    assert.deepEqual(order, ['other', 'first', 'second']);
  });
});
