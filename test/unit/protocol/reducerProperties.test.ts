import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { describeActivity } from '../../../protocol/activity.ts';
import type { EventBody, SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents, reduceSession } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { SessionMirror } from '../../../protocol/sessionMirror.ts';
import { snapshotOf } from '../../../protocol/snapshot.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { ChatModel } from '../../../webview-ui/src/state/chatModel.ts';
import { anyBody, anyLog } from '../../support/eventArbitrary.ts';

const ID = `ses_${'0'.repeat(26)}`;
const RUNS = { numRuns: 400 };

/** One event after the other, as the plainest reader does it. */
function whole(log: readonly SessionEvent[]): SessionState {
  const state = log.reduce<SessionState | undefined>((before, event) => reduceSession(before, event, ID), undefined);
  assert.ok(state);
  return state;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

describe('reducer, for any log', function () {
  this.timeout(120_000);

  it('reaches the states that matter', () => {
    const seen = new Set<string>();
    for (const log of fc.sample(anyLog, { numRuns: 600, seed: 7 })) {
      const state = whole(log);
      seen.add(state.phase.kind);
      const reached: Record<string, unknown> = {
        approvals: state.approvals[0],
        answered: state.answered[0],
        decisions: state.review.decisions[0],
        conflicts: state.review.conflicts[0],
        queued: state.items.find(item => item.kind === 'message' && item.delivery === 'queued'),
        recovering: state.recovering,
        interrupted: state.interrupted,
        stuck: state.stuck,
        restored: state.restores?.[0],
        pullRequest: state.pullRequest,
      };
      Object.keys(reached).forEach(name => void (reached[name] === undefined || seen.add(name)));
    }
    const wanted =
      'preparing idle working stopping checkpointing blocked approvals answered decisions conflicts queued ' +
      'recovering interrupted stuck restored pullRequest';
    assert.deepEqual(
      wanted.split(' ').filter(name => !seen.has(name)),
      [],
    );
  });

  it('any beginning and the rest is the same as all, and nothing that was given is changed', () => {
    fc.assert(
      fc.property(anyLog, fc.array(fc.nat(80), { maxLength: 4 }), (log, cuts) => {
        frozen(log);
        let state: SessionState | undefined;
        let from = 0;
        for (const cut of [...cuts, log.length].toSorted((one, other) => one - other)) {
          state = frozen(reduceEvents(state, log.slice(from, cut), ID));
          from = Math.max(from, Math.min(cut, log.length));
        }
        assert.deepEqual(state, whole(log));
      }),
      RUNS,
    );
  });

  it('a state is the same after JSON as before, and goes on the same', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(80), (log, at) => {
        const cut = Math.min(log.length, at + 1);
        const state = whole(log.slice(0, cut));
        const copy: SessionState = JSON.parse(JSON.stringify(state));
        assert.deepEqual(copy, state);
        assert.deepEqual(reduceEvents(copy, log.slice(cut), ID), whole(log));
        assert.deepEqual(JSON.parse(JSON.stringify(summarize(state))), summarize(state));
      }),
      RUNS,
    );
  });

  it('a snapshot and the rest is the same as all, but for what the snapshot left out', () => {
    // A branch takes items out of the log that it was made from; it is made at once, so nobody has a snapshot before it.
    const unbranched = anyLog.map(log => log.filter(({ body }) => body.type !== 'sessionBranched').map(renumbered));
    fc.assert(
      fc.property(unbranched, fc.nat(80), fc.integer({ min: 1, max: 6 }), (log, at, maxItems) => {
        const cut = Math.min(log.length, at + 1);
        const snapshot = snapshotOf(whole(log.slice(0, cut)), maxItems, Infinity);
        const state = reduceEvents(snapshot, log.slice(cut), ID);
        const all = whole(log);
        assert.deepEqual(state, {
          ...all,
          items: all.items.slice(snapshot.omittedItems),
          omittedItems: snapshot.omittedItems,
        });
        assert.deepEqual(describeActivity(state ?? all), describeActivity(all));
      }),
      RUNS,
    );
  });

  it('a client that gets it in pieces, some of them twice and some too early, has the same as the relay', () => {
    const delivery = fc.array(fc.record({ from: fc.nat(80), count: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(anyLog, delivery, (log, pieces) => {
        const mirror = new SessionMirror(ID);
        const applied: SessionEvent[] = [];
        for (const { from, count } of pieces) {
          const change = mirror.applyEvents(log.slice(from, from + count));
          applied.push(...(change?.kind === 'events' ? change.events : []));
        }
        const rest = mirror.applyEvents(log);
        applied.push(...(rest?.kind === 'events' ? rest.events : []));
        assert.deepEqual(applied, log);
        assert.deepEqual(mirror.state, whole(log));
      }),
      RUNS,
    );
  });

  it('the page has the same too, whether it saw the session live or opened it later', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(80), (log, at) => {
        const cut = Math.min(log.length, at + 1);
        const model = new ChatModel(() => assert.fail('nothing was missing'));
        model.receive({ type: 'open', sessionId: ID, state: whole(log.slice(0, cut)), live: [] });
        model.receive({ type: 'events', sessionId: ID, events: log.slice(Math.max(0, cut - 3), cut + 2) });
        model.receive({ type: 'events', sessionId: ID, events: log.slice(cut) });
        assert.deepEqual(model.session.peek(), whole(log));
      }),
      RUNS,
    );
  });

  it('events and fields of a newer relay are kept, handed on and do no harm', () => {
    const newer: fc.Arbitrary<unknown> = fc.oneof(
      fc.record({ type: fc.constantFrom('somethingNewer', 'constructor', '__proto__', ''), more: fc.jsonValue() }),
      fc.tuple(anyBody, fc.jsonValue()).map(([body, more]) => ({ ...body, somethingNewer: more })),
    );
    fc.assert(
      fc.property(anyLog, fc.array(fc.tuple(newer, fc.nat(80)), { maxLength: 5 }), (log, additions) => {
        const bodies: EventBody[] = log.map(({ body }) => body);
        for (const [body, at] of additions) {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a newer relay may send
          bodies.splice(1 + (at % bodies.length), 0, body as EventBody);
        }
        const events = bodies.map((body, index) => renumbered({ seq: 0, at: 0, body }, index));
        const mirror = new SessionMirror(ID);
        const change = mirror.applyEvents(events);
        assert.deepEqual(change, { kind: 'events', events });
        assert.equal(mirror.seq, events.length);
        assert.deepEqual(JSON.parse(JSON.stringify(mirror.state)), mirror.state);
        const last: unknown = { type: 'somethingNewer' };
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
        const next = { seq: events.length + 1, at: 9, body: last as EventBody };
        assert.deepEqual(reduceSession(mirror.state, next, ID), { ...mirror.state, seq: next.seq, updatedAt: 9 });
      }),
      RUNS,
    );
  });
});

function renumbered(event: SessionEvent, index: number): SessionEvent {
  return { ...event, seq: index + 1, at: (index + 1) * 1000 };
}
