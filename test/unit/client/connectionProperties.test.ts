import fc from 'fast-check';
import { strict as assert } from 'node:assert';
import { DEFAULT_BACKOFF, reduceConnection } from '../../../client/connectionState.ts';
import type { ConnectionAction, ConnectionState } from '../../../client/connectionState.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

const error = fc
  .constantFrom('disconnected' as const, 'unavailable' as const, 'timeout' as const, 'unauthorized' as const)
  .map(code => new SandpiperError(code, 'lost'));
const action: fc.Arbitrary<ConnectionAction> = fc.oneof(
  fc.constantFrom<ConnectionAction>({ kind: 'connect' }, { kind: 'retryDue' }, { kind: 'disconnect' }),
  fc.record({ kind: fc.constant('initialized' as const), nowMs: fc.nat() }),
  fc.record({
    kind: fc.constant('lost' as const),
    error,
    nowMs: fc.nat(),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

function run(actions: readonly ConnectionAction[]): ConnectionState {
  return actions.reduce<ConnectionState>((state, next) => reduceConnection(state, next), { kind: 'disconnected' });
}

describe('connectionState, for any sequence of actions', () => {
  it('waits no longer than the longest pause, and never less than half of the first', () => {
    fc.assert(
      fc.property(
        fc.array(action),
        error,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (before, lost, nowMs, random) => {
          const state = reduceConnection(run(before), { kind: 'lost', error: lost, nowMs, random });
          const due = reduceConnection(run([...before, { kind: 'connect' }]), {
            kind: 'lost',
            error: lost,
            nowMs,
            random,
          });
          assert.notEqual(due.kind, 'connecting', 'a loss always leaves connecting');
          for (const after of [state, due]) {
            if (after.kind === 'waiting' && after !== run(before) && after.error === lost) {
              const pauseMs = after.untilMs - nowMs;
              assert.ok(pauseMs >= DEFAULT_BACKOFF.firstMs / 2 - 1e-6, `${pauseMs}`);
              assert.ok(pauseMs <= DEFAULT_BACKOFF.maxMs + 1e-6, `${pauseMs}`);
            }
          }
        },
      ),
    );
  });

  it('comes from every state to connected when the relay is up, and from connected only by a loss or a wish', () => {
    fc.assert(
      fc.property(fc.array(action), action, (before, next) => {
        const state = run(before);
        const wanted = reduceConnection(state, { kind: 'connect' });
        const up = reduceConnection(wanted, { kind: 'initialized', nowMs: 0 });
        assert.equal(up.kind, 'connected');
        const after = reduceConnection(up, next);
        assert.equal(after.kind === 'connected', next.kind !== 'lost' && next.kind !== 'disconnect');
      }),
    );
  });

  it('opens a new socket only out of a state without one', () => {
    fc.assert(
      fc.property(fc.array(action), action, (before, next) => {
        const state = run(before);
        const after = reduceConnection(state, next);
        if (after !== state && after.kind === 'connecting') {
          assert.ok(['disconnected', 'waiting', 'refused'].includes(state.kind), state.kind);
        }
      }),
    );
  });
});
