import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LandingQueue, whereWeAre } from '../../../server/src/sessions/landing.ts';

const [A, B, C] = ['a', 'b', 'c'].map(letter => letter.repeat(40));
const on = (commit = '', branch = 'x') => ({ branch, commit });

describe('where a branch is', () => {
  it('is what the forge says, when one of our pushes put it there', () => {
    assert.deepEqual(whereWeAre({}, 'x', undefined), { previous: undefined, expectedRemote: undefined });
    assert.deepEqual(whereWeAre({ landed: on(A) }, 'x', A), { previous: A, expectedRemote: A });
    assert.deepEqual(whereWeAre({ landed: on(A), pushing: on(B) }, 'x', A), { previous: A, expectedRemote: A });
    assert.deepEqual(whereWeAre({ landed: on(A), pushing: on(B) }, 'x', B), { previous: B, expectedRemote: B });
    assert.deepEqual(whereWeAre({ pushing: on(B) }, 'x', B), { previous: B, expectedRemote: B });
  });

  it('is nowhere when the push never arrived or the branch was removed', () => {
    assert.deepEqual(whereWeAre({ pushing: on(A) }, 'x', undefined), {
      previous: undefined,
      expectedRemote: undefined,
    });
    assert.deepEqual(whereWeAre({ landed: on(A) }, 'x', undefined), { previous: A, expectedRemote: undefined });
  });

  it('is not taken over from somebody else', () => {
    assert.deepEqual(whereWeAre({ landed: on(A), pushing: on(B) }, 'x', C), { previous: A, expectedRemote: A });
    assert.deepEqual(whereWeAre({}, 'x', C), { previous: undefined, expectedRemote: undefined });
    assert.deepEqual(whereWeAre({ landed: on(A, 'other') }, 'x', C), {
      previous: undefined,
      expectedRemote: undefined,
    });
  });
});

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
