import assert from 'node:assert/strict';
import { Pump } from '../../../server/src/hooks/pump.ts';
import { silentLogger } from '../../../server/src/core/log.ts';
import { eventually } from '../../support/eventually.ts';

describe('a pump', () => {
  it('does one round at a time, and another for what came meanwhile', async () => {
    const rounds: (() => void)[] = [];
    const pump = new Pump(() => new Promise(resolve => rounds.push(() => resolve(undefined))), silentLogger);
    pump.nudge();
    pump.nudge();
    pump.nudge();
    assert.equal(rounds.length, 1);
    rounds[0]?.();
    await eventually(() => assert.equal(rounds.length, 2));
    rounds[1]?.();
    await pump.close();
    assert.equal(rounds.length, 2);
    assert.equal(pump.busy, false);
  });

  it('is closed soon although its round waits for an answer that does not come', async () => {
    const pump = new Pump(() => new Promise(() => {}), silentLogger);
    pump.nudge();
    await pump.close();
    assert.equal(pump.busy, true, 'what it waits for was not heard of');
  });
});
