import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { watchIdle } from '../../../server/src/core/idleWatch.ts';

describe('watchIdle', () => {
  it('waits until nothing was busy for the whole time', async () => {
    let busy = true;
    let reached = false;
    const watch = watchIdle(60, () => busy);
    const end = watch.reached.then(() => (reached = true));
    await sleep(150);
    assert.equal(reached, false);
    busy = false;
    await end;
  });

  it('never comes when it is off, and not after it was disposed', async () => {
    let calls = 0;
    const off = watchIdle(0, () => calls++ < 0);
    const disposed = watchIdle(20, () => calls++ < 0);
    disposed.dispose();
    const first = await Promise.race([
      off.reached.then(() => 'idle'),
      disposed.reached.then(() => 'idle'),
      sleep(100, 'time'),
    ]);
    assert.equal(first, 'time');
    assert.equal(calls, 0);
  });
});
