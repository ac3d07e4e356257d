import { strict as assert } from 'node:assert';
import { closeError } from '../../../client/link/closeError.ts';
import { reduceConnection, STEP_LIMIT_MS, UNCONNECTED, wantedSocket } from '../../../client/link/connectionState.ts';
import type { Connection, ConnectionAction } from '../../../client/link/connectionState.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

const LOST = new SandpiperError('disconnected', 'gone');
const CONNECT: ConnectionAction = { kind: 'connect', nowMs: 0 };
const lost = (nowMs: number, error = LOST, random = 1, socket = 1): ConnectionAction => ({
  kind: 'lost',
  socket,
  error,
  nowMs,
  random,
});
const tick = (nowMs: number): ConnectionAction => ({ kind: 'tick', nowMs, random: 1 });

function run(...actions: ConnectionAction[]): Connection {
  return actions.reduce<Connection>((connection, action) => reduceConnection(connection, action), UNCONNECTED);
}

describe('connectionState', () => {
  it('connects step by step, and says since when', () => {
    assert.deepEqual(run(CONNECT).state, { kind: 'connecting', attempt: 1, step: 'finding', sinceMs: 0 });
    assert.deepEqual(run(CONNECT, { kind: 'found', socket: 1, nowMs: 3 }).state, {
      kind: 'connecting',
      attempt: 1,
      step: 'greeting',
      sinceMs: 3,
    });
    assert.deepEqual(run(CONNECT, { kind: 'initialized', socket: 1, nowMs: 7 }).state, {
      kind: 'connected',
      attempt: 1,
      sinceMs: 7,
    });
  });

  it('waits longer after each failure, up to 10 s, with jitter down to a half', () => {
    const delays: number[] = [];
    let connection = run(CONNECT);
    for (let attempt = 0; attempt < 8; attempt++) {
      connection = reduceConnection(connection, lost(0, LOST, 1, connection.socket));
      const { state } = connection;
      delays.push(state.kind === 'waiting' ? state.untilMs : NaN);
      connection = reduceConnection(connection, tick(20_000));
    }
    assert.deepEqual(delays, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    assert.deepEqual(run(CONNECT, lost(1_000, LOST, 0)).state, {
      kind: 'waiting',
      attempt: 1,
      untilMs: 1_125,
      error: LOST,
    });
  });

  it('begins anew after a connection that held, and does not after one that flapped', () => {
    const flapping: ConnectionAction[] = [
      CONNECT,
      lost(0),
      tick(500),
      { kind: 'initialized', socket: 2, nowMs: 1_000 },
    ];
    const attempt = ({ state }: Connection): number => ('attempt' in state ? state.attempt : NaN);
    assert.equal(attempt(run(...flapping, lost(2_000, LOST, 1, 2))), 2);
    assert.equal(attempt(run(...flapping, lost(6_000, LOST, 1, 2))), 1);
  });

  it('tries at once when a person asks, instead of waiting on', () => {
    const waiting = run(CONNECT, lost(0));
    assert.equal(reduceConnection(waiting, tick(10)), waiting);
    const asked = reduceConnection(waiting, { kind: 'connect', nowMs: 10 });
    assert.deepEqual([asked.state.kind, wantedSocket(asked)], ['connecting', 2]);
  });

  it('gives up an attempt that comes to nothing', () => {
    const greeting = run(CONNECT, { kind: 'found', socket: 1, nowMs: 1_000 });
    assert.equal(reduceConnection(greeting, tick(STEP_LIMIT_MS.greeting)).state.kind, 'connecting');
    const given = reduceConnection(greeting, tick(1_000 + STEP_LIMIT_MS.greeting));
    assert.equal(given.state.kind === 'waiting' ? given.state.error.code : '', 'timeout');
    assert.equal(reduceConnection(run(CONNECT), tick(STEP_LIMIT_MS.finding)).state.kind, 'waiting');
  });

  for (const code of ['unauthorized', 'forbidden', 'version_mismatch'] as const) {
    it(`stays refused after ${code}, until the user connects again`, () => {
      const error = new SandpiperError(code, 'no');
      const refused = run(CONNECT, lost(0, error));
      assert.deepEqual(refused.state, { kind: 'refused', error });
      assert.equal(reduceConnection(refused, tick(100_000)), refused);
      assert.equal(reduceConnection(refused, CONNECT).state.kind, 'connecting');
    });
  }

  it('ignores what comes too late, or from a socket that is no longer wanted', () => {
    const idle = run();
    for (const action of [lost(0), tick(0), { kind: 'initialized', socket: 1, nowMs: 0 }] as const) {
      assert.equal(reduceConnection(idle, action), idle);
    }
    assert.equal(run(CONNECT, lost(0), { kind: 'disconnect' }).state.kind, 'disconnected');
    const second = run(CONNECT, lost(0), tick(1_000));
    for (const action of [
      lost(0),
      { kind: 'found', socket: 1, nowMs: 0 },
      { kind: 'initialized', socket: 1, nowMs: 0 },
    ] as const) {
      assert.equal(reduceConnection(second, action), second);
    }
  });

  it('takes close codes for what they mean', () => {
    assert.equal(closeError(4010, '').code, 'version_mismatch');
    assert.equal(closeError(1012, '').message, 'The relay stopped.');
    assert.equal(closeError(4008, '').code, 'disconnected');
    assert.match(closeError(1006, '').message, /1006/);
  });
});
