import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decideLease,
  mayWrite,
  observeLease,
  type LeaseObservation,
  type LeaseRow,
} from '../../../server/src/store/lease.ts';

const LEASE_MS = 1000;
const BEAT_MS = LEASE_MS / 4;
const LOOK_MS = LEASE_MS / 20;

interface Relay {
  name: string;
  alive: boolean;
  /** Neither beats nor looks, keeps what it holds; as after SIGSTOP. */
  stopped: boolean;
  epoch: number | undefined;
  holdsLock: boolean;
  seen: LeaseObservation | undefined;
  /** How far its clock is off. */
  clockOffsetMs: number;
  beatAt: number;
}

/** Relays, one row, one lock that the system gives back when its holder dies, and time. */
class World {
  row: LeaseRow | undefined;
  now = 0;
  granted: number[] = [];
  readonly relays: Relay[];

  constructor(count: number) {
    this.relays = Array.from({ length: count }, (_, index) => newRelay(`relay ${index}`));
  }

  /** One look's time passes: owners beat, challengers look, and take what they may. */
  tick(): void {
    this.now += LOOK_MS;
    for (const relay of this.relays.filter(each => each.alive && !each.stopped)) {
      if (relay.epoch === undefined) {
        this.#challenge(relay);
      } else if (this.now - relay.beatAt >= BEAT_MS) {
        this.beat(relay);
      }
    }
  }

  beat(relay: Relay): void {
    relay.beatAt = this.now;
    if (this.row && mayWrite(this.row, relay.epoch)) {
      relay.holdsLock ||= this.#lockIsFree();
      this.row = { ...this.row, beat: this.row.beat + 1, locked: relay.holdsLock };
    } else {
      this.die(relay);
    }
  }

  die(relay: Relay): void {
    Object.assign(relay, { ...newRelay(relay.name), alive: false });
  }

  #challenge(relay: Relay): void {
    relay.holdsLock ||= this.#lockIsFree();
    const clock = this.now + relay.clockOffsetMs;
    // What it saw may be out of date when it claims.
    const silent = relay.seen && relay.seen.silentMs >= LEASE_MS ? { silent: relay.seen.row } : {};
    relay.seen = this.row && observeLease(relay.seen, this.row, clock, 2 * LOOK_MS);
    const before = this.row;
    const decision = decideLease(before, {
      holder: relay.name,
      pid: 1,
      version: '1',
      locked: relay.holdsLock,
      ...silent,
    });
    if (decision.kind === 'refused') {
      return;
    }
    const owner = this.relays.find(each => each.epoch !== undefined && mayWrite(before, each.epoch));
    assert.ok(!owner || owner.stopped, `${relay.name} took over from ${owner?.name}, which lives and beats`);
    this.row = decision.row;
    relay.epoch = decision.row.epoch;
    relay.beatAt = this.now;
    this.granted.push(decision.row.epoch);
  }

  #lockIsFree(): boolean {
    return !this.relays.some(relay => relay.alive && relay.holdsLock);
  }
}

function newRelay(name: string): Relay {
  return {
    name,
    alive: true,
    stopped: false,
    epoch: undefined,
    holdsLock: false,
    seen: undefined,
    clockOffsetMs: 0,
    beatAt: 0,
  };
}

describe('lease', () => {
  const relayIndex = fc.nat(3);
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), ticks: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('kill', 'release'), relay: relayIndex }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), relay: relayIndex }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('stop', 'continue'), relay: relayIndex }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('clock' as const),
        relay: relayIndex,
        byMs: fc.integer({ min: -100 * LEASE_MS, max: 100 * LEASE_MS }),
      }),
    },
  );

  it('has at most one owner, and none is robbed while it beats, whatever dies, hangs or sets its clock', () => {
    let takeOvers = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 10, maxLength: 60, size: 'max' }), actions => {
        const world = new World(4);
        for (const step of actions) {
          if (step.kind === 'time') {
            for (let tick = 0; tick < step.ticks; tick++) {
              world.tick();
              checkOneOwner(world);
            }
            continue;
          }
          const relay = world.relays[step.relay];
          assert.ok(relay);
          apply(world, relay, step);
          checkOneOwner(world);
        }
        takeOvers += Math.max(0, world.granted.length - 1);
      }),
      { numRuns: 300 },
    );
    assert.ok(takeOvers > 100, `the property was about take-overs: ${takeOvers}`);
  });

  function apply(world: World, relay: Relay, step: { kind: string; byMs?: number }): void {
    switch (step.kind) {
      case 'kill':
        world.die(relay);
        break;
      case 'start':
        if (!relay.alive) {
          Object.assign(relay, newRelay(relay.name));
        }
        break;
      case 'release':
        if (relay.alive && !relay.stopped && world.row && mayWrite(world.row, relay.epoch)) {
          world.row = { ...world.row, released: true };
          world.die(relay);
        }
        break;
      case 'stop':
        relay.stopped = relay.alive;
        break;
      case 'continue':
        relay.stopped = false;
        break;
      default:
        relay.clockOffsetMs += step.byMs ?? 0;
    }
  }

  function checkOneOwner(world: World): void {
    const owners = world.relays.filter(({ epoch }) => epoch !== undefined && mayWrite(world.row, epoch));
    assert.ok(owners.length <= 1, owners.map(({ name }) => name).join(' and '));
    assert.deepEqual(
      world.granted,
      world.granted.map((_, index) => index + 1),
    );
  }

  it('is taken from an owner that hangs, and by nobody else than one', () => {
    const world = new World(3);
    world.tick();
    const [first] = world.relays;
    assert.ok(first?.epoch === 1 && first.holdsLock);
    first.stopped = true;
    for (let ticks = 0; ticks < LEASE_MS / LOOK_MS + 2; ticks++) {
      world.tick();
    }
    assert.deepEqual(world.granted, [1, 2]);
    assert.equal(world.row?.locked, false, 'the one that hangs has the lock');
    first.stopped = false;
    world.now += BEAT_MS;
    world.beat(first);
    assert.equal(first.alive, false);
    for (let ticks = 0; ticks < 20; ticks++) {
      world.tick();
    }
    assert.deepEqual(world.granted, [1, 2], 'whoever gets the lock then is not taken for the heir');
  });
});
