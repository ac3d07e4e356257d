import { strict as assert } from 'node:assert';
import type { SessionEvent } from '../../../protocol/events.ts';
import { reduceSession } from '../../../protocol/reducer.ts';
import { SessionMirror } from '../../../protocol/sessionMirror.ts';
import { CREATED, notice } from '../../support/wireSource.ts';

const ID = `ses_${'0'.repeat(26)}`;
const event = (seq: number, body = seq === 1 ? CREATED : notice(`n${seq}`)): SessionEvent => ({ seq, at: seq, body });
const delta = (itemId: string, offset: number, text: string) =>
  ({ sessionId: ID, itemId, kind: 'text', offset, text }) as const;

describe('SessionMirror', () => {
  let mirror: SessionMirror;
  beforeEach(() => {
    mirror = new SessionMirror(ID);
  });
  const texts = (): string[] => mirror.live.map(item => item.text);

  it('applies events, drops duplicates, and says only what was new', () => {
    mirror.applyEvents([event(1), event(2)]);
    const change = mirror.applyEvents([event(1), event(2), event(3)]);
    assert.deepEqual(change, { kind: 'events', events: [event(3)] });
    assert.equal(mirror.applyEvents([event(3)]), undefined);
    assert.equal(mirror.seq, 3);
  });

  it('reports a gap, before or within, and applies nothing of it', () => {
    assert.deepEqual(mirror.applyEvents([event(2)]), { kind: 'gap', expected: 1, got: 2 });
    mirror.applyEvents([event(1)]);
    assert.deepEqual(mirror.applyEvents([event(2), event(4)]), { kind: 'gap', expected: 3, got: 4 });
    assert.equal(mirror.seq, 1);
  });

  it('puts deltas together, rewrites from an earlier offset, and drops one after a hole', () => {
    mirror.applyDelta(delta('a', 0, 'Hello '));
    mirror.applyDelta(delta('a', 6, 'world'));
    assert.deepEqual(texts(), ['Hello world']);
    mirror.applyDelta(delta('a', 6, 'all of you'));
    assert.deepEqual(texts(), ['Hello all of you']);
    assert.equal(mirror.applyDelta(delta('a', 99, 'x')), undefined);
    assert.equal(mirror.applyDelta(delta('b', 1, 'x')), undefined);
    mirror.applyDelta(delta('a', 0, 'Anew'));
    assert.deepEqual(texts(), ['Anew']);
  });

  it('lets live text go when its item is finished, and all of it when the agent stops', () => {
    mirror.applyEvents([event(1)]);
    ['a', 'b', 'c', 'd'].forEach(item => mirror.applyDelta(delta(item, 0, item)));
    mirror.applyEvents([event(2, { type: 'textFinished', itemId: 'a', text: { text: 'a' } })]);
    mirror.applyEvents([event(3, { type: 'thinkingFinished', itemId: 'b', text: { text: 'b' } })]);
    mirror.applyEvents([
      event(4, { type: 'toolStarted', toolId: 'c', name: 'Bash', title: 'ls', input: { text: '{}' } }),
    ]);
    assert.deepEqual(texts(), ['d']);
    mirror.applyEvents([event(5, { type: 'agentEnded', segment: 1, exitCode: 1, expected: false, cause: 'died' })]);
    assert.deepEqual(texts(), []);
  });

  it('takes a snapshot, also one that goes back, and no live text of items it holds', () => {
    const first = reduceSession(undefined, event(1), ID);
    const state = reduceSession(first, event(2, { type: 'textFinished', itemId: 'a', text: { text: 'done' } }), ID);
    mirror.applyEvents([event(1), event(2), event(3)]);
    const live = [
      { itemId: 'a', kind: 'text', text: 'do' },
      { itemId: 'b', kind: 'text', text: 'ne' },
    ] as const;
    assert.deepEqual(mirror.reset(state, live), { kind: 'snapshot' });
    assert.equal(mirror.seq, 2);
    assert.deepEqual(texts(), ['ne']);
  });
});
