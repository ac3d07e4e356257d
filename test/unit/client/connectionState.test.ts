import { strict as assert } from 'node:assert';
import { closeError, reduceConnection } from '../../../client/connectionState.ts';
import type { ConnectionAction, ConnectionState } from '../../../client/connectionState.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

const LOST = new SandpiperError('disconnected', 'gone');
const lost = (nowMs: number, error = LOST, random = 1): ConnectionAction => ({ kind: 'lost', error, nowMs, random });

function run(...actions: ConnectionAction[]): ConnectionState {
  return actions.reduce<ConnectionState>((state, action) => reduceConnection(state, action), { kind: 'disconnected' });
}

describe('connectionState', () => {
  it('connects, and says since when', () => {
    assert.deepEqual(run({ kind: 'connect' }), { kind: 'connecting', attempt: 1 });
    assert.deepEqual(run({ kind: 'connect' }, { kind: 'initialized', nowMs: 7 }), {
      kind: 'connected',
      attempt: 1,
      sinceMs: 7,
    });
  });

  it('waits longer after each failure, up to 10 s, with jitter down to a half', () => {
    const delays: number[] = [];
    let state = run({ kind: 'connect' });
    for (let attempt = 0; attempt < 8; attempt++) {
      state = reduceConnection(state, lost(0));
      delays.push(state.kind === 'waiting' ? state.untilMs : NaN);
      state = reduceConnection(state, { kind: 'retryDue' });
    }
    assert.deepEqual(delays, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    assert.deepEqual(run({ kind: 'connect' }, lost(1_000, LOST, 0)), {
      kind: 'waiting',
      attempt: 1,
      untilMs: 1_125,
      error: LOST,
    });
  });

  it('begins anew after a connection that held, and does not after one that flapped', () => {
    const flapping: ConnectionAction[] = [
      { kind: 'connect' },
      lost(0),
      { kind: 'retryDue' },
      { kind: 'initialized', nowMs: 1_000 },
    ];
    const attempt = (state: ConnectionState): number => ('attempt' in state ? state.attempt : NaN);
    assert.equal(attempt(run(...flapping, lost(2_000))), 2);
    assert.equal(attempt(run(...flapping, lost(6_000))), 1);
  });

  for (const code of ['unauthorized', 'forbidden', 'version_mismatch'] as const) {
    it(`stays refused after ${code}, until the user connects again`, () => {
      const error = new SandpiperError(code, 'no');
      const state = run({ kind: 'connect' }, lost(0, error));
      assert.deepEqual(state, { kind: 'refused', error });
      assert.equal(reduceConnection(state, { kind: 'retryDue' }), state);
      assert.deepEqual(reduceConnection(state, { kind: 'connect' }), { kind: 'connecting', attempt: 1 });
    });
  }

  it('ignores what comes too late', () => {
    const idle = run();
    for (const action of [lost(0), { kind: 'retryDue' }, { kind: 'initialized', nowMs: 0 }] as const) {
      assert.equal(reduceConnection(idle, action), idle);
    }
    assert.deepEqual(run({ kind: 'connect' }, lost(0), { kind: 'disconnect' }), { kind: 'disconnected' });
  });

  it('takes close codes for what they mean', () => {
    assert.equal(closeError(4010, '').code, 'version_mismatch');
    assert.equal(closeError(1012, '').message, 'The relay stopped.');
    assert.equal(closeError(4008, '').code, 'disconnected');
    assert.match(closeError(1006, '').message, /1006/);
  });
});
