import fc from 'fast-check';
import { strict as assert } from 'node:assert';
import {
  DEFAULT_BACKOFF,
  reduceConnection,
  STEP_LIMIT_MS,
  UNCONNECTED,
  wantedSocket,
} from '../../../client/link/connectionState.ts';
import type { Connection, ConnectionAction } from '../../../client/link/connectionState.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

const TICK_MS = 2_000;

/** What may happen; `socket` counts back from the newest, so that old sockets speak too. */
type Happening =
  | { kind: 'connect' | 'disconnect' }
  | { kind: 'pass'; ms: number }
  | { kind: 'found' | 'initialized'; back: number }
  | { kind: 'lost'; back: number; error: SandpiperError; random: number };

const error = fc
  .constantFrom('disconnected' as const, 'unavailable' as const, 'timeout' as const, 'unauthorized' as const)
  .map(code => new SandpiperError(code, 'lost'));
const back = fc.nat(2);
const random = fc.double({ min: 0, max: 1, noNaN: true });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>({ kind: 'connect' }, { kind: 'disconnect' }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(30_000) }),
  fc.record({ kind: fc.constantFrom('found' as const, 'initialized' as const), back }),
  fc.record({ kind: fc.constant('lost' as const), back, error, random }),
);

/** Sockets as the client opens and closes them by `wantedSocket`, and a clock that ticks. */
class World {
  connection: Connection = UNCONNECTED;
  nowMs = 0;
  readonly open = new Set<number>();
  readonly everOpened: number[] = [];
  connectingSinceMs = 0;

  happen(what: Happening): void {
    switch (what.kind) {
      case 'connect':
        this.act({ kind: 'connect', nowMs: this.nowMs });
        break;
      case 'disconnect':
        this.act({ kind: 'disconnect' });
        break;
      case 'pass':
        for (let left = what.ms; left > 0; left -= TICK_MS) {
          this.nowMs += Math.min(left, TICK_MS);
          this.act({ kind: 'tick', nowMs: this.nowMs, random: 0.5 });
        }
        break;
      case 'found':
      case 'initialized':
        this.act({ kind: what.kind, socket: this.connection.socket - what.back, nowMs: this.nowMs });
        break;
      case 'lost':
        this.act({ ...what, socket: this.connection.socket - what.back, nowMs: this.nowMs });
    }
  }

  act(action: ConnectionAction): void {
    const before = this.connection;
    const wasWanted = wantedSocket(before);
    this.connection = reduceConnection(before, action);
    const wanted = wantedSocket(this.connection);
    if (wasWanted !== undefined && wanted !== wasWanted) {
      this.open.delete(wasWanted);
    }
    if (wanted !== undefined && wanted !== wasWanted) {
      assert.ok(!this.everOpened.includes(wanted), `socket ${wanted} is opened twice`);
      this.everOpened.push(wanted);
      this.open.add(wanted);
    }
    assert.ok(this.open.size <= 1, `${this.open.size} sockets live`);
    assert.equal(this.open.size === 1, wanted !== undefined);
    this.#checkPause(before);
    this.#checkConnecting(before);
  }

  #checkPause(before: Connection): void {
    const { state } = this.connection;
    if (state.kind === 'waiting' && state !== before.state) {
      const pauseMs = state.untilMs - this.nowMs;
      assert.ok(pauseMs >= DEFAULT_BACKOFF.firstMs / 2 - 1e-6 && pauseMs <= DEFAULT_BACKOFF.maxMs, `${pauseMs} ms`);
    }
  }

  /** However it goes, an attempt ends within its limits and one tick each. */
  #checkConnecting(before: Connection): void {
    if (this.connection.state.kind !== 'connecting') {
      return;
    }
    if (before.state.kind !== 'connecting') {
      this.connectingSinceMs = this.nowMs;
    }
    const limitMs = STEP_LIMIT_MS.finding + STEP_LIMIT_MS.greeting + 2 * TICK_MS;
    assert.ok(this.nowMs - this.connectingSinceMs <= limitMs, 'stuck in connecting');
  }
}

function lived(happenings: readonly Happening[]): World {
  const world = new World();
  happenings.forEach(what => world.happen(what));
  return world;
}

describe('connectionState, whatever happens', () => {
  const history = fc.array(happening, { maxLength: 60 });

  it('never has two sockets live, opens none twice, waits within bounds and is never stuck in connecting', () => {
    fc.assert(
      fc.property(history, happenings => void lived(happenings)),
      { numRuns: 2_000 },
    );
  });

  it('comes from every state to connected when the relay is up, by itself unless it was refused or not wanted', () => {
    fc.assert(
      fc.property(history, happenings => {
        const world = lived(happenings);
        const { kind } = world.connection.state;
        if (kind === 'disconnected' || kind === 'refused') {
          world.happen({ kind: 'connect' });
        }
        const deadlineMs =
          world.nowMs + STEP_LIMIT_MS.finding + STEP_LIMIT_MS.greeting + DEFAULT_BACKOFF.maxMs + 6 * TICK_MS;
        while (world.connection.state.kind !== 'connected') {
          assert.ok(world.nowMs < deadlineMs, `still ${world.connection.state.kind}`);
          // An attempt that began before the relay came up may hang; those after it succeed.
          const before = world.connection.socket;
          world.happen({ kind: 'pass', ms: TICK_MS });
          if (world.connection.socket !== before || world.connection.state.kind === 'waiting') {
            world.happen({ kind: 'found', back: 0 });
            world.happen({ kind: 'initialized', back: 0 });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves connected only by a loss of that very socket or a wish', () => {
    fc.assert(
      fc.property(history, happening, (happenings, next) => {
        const world = lived(happenings);
        world.happen({ kind: 'connect' });
        world.happen({ kind: 'initialized', back: 0 });
        assert.equal(world.connection.state.kind, 'connected');
        world.happen(next);
        const leaves = next.kind === 'disconnect' || (next.kind === 'lost' && next.back === 0);
        assert.equal(world.connection.state.kind === 'connected', !leaves);
      }),
    );
  });
});
