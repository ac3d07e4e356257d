import assert from 'node:assert/strict';
import type { HostMessage } from '../../../protocol/webviewApi.ts';
import { ChatModel } from '../../../webview-ui/src/state/chatModel.ts';
import { SessionLog } from '../../support/sessionLog.ts';

describe('chat model', () => {
  let log: SessionLog;
  let resyncs: string[];
  let now: number;
  let model: ChatModel;

  beforeEach(() => {
    log = new SessionLog();
    log.ready();
    resyncs = [];
    now = 100_000;
    model = new ChatModel(
      sessionId => resyncs.push(sessionId),
      () => now,
    );
    model.receive(open());
  });

  function open(): Extract<HostMessage, { type: 'open' }> {
    return { type: 'open', sessionId: log.id, state: log.state, live: [] };
  }

  function delta(offset: number, text: string): Extract<HostMessage, { type: 'delta' }> {
    return { type: 'delta', sessionId: log.id, itemId: 'x', kind: 'text', offset, text };
  }

  it('folds events in order, and those it has already only once', () => {
    const events = log.turn(1, 'Hello');
    model.receive({ type: 'events', sessionId: log.id, events });
    model.receive({ type: 'events', sessionId: log.id, events });
    assert.deepEqual(model.session.value, log.state);
    assert.deepEqual(resyncs, []);
  });

  it('asks once for the whole session when events are missing, and takes nothing until it came', () => {
    log.turn(1, 'Hello');
    const late = log.add({ type: 'noticeRaised', level: 'info', text: 'late' });
    model.receive({ type: 'events', sessionId: log.id, events: late });
    model.receive({ type: 'events', sessionId: log.id, events: late });
    assert.deepEqual(resyncs, [log.id]);
    model.receive(open());
    assert.deepEqual(model.session.value, log.state);
  });

  it('ignores what belongs to another session', () => {
    model.receive({ type: 'events', sessionId: 'other', events: log.turn(1, 'Hello') });
    model.receive({ ...delta(0, 'text'), sessionId: 'other' });
    assert.equal(model.session.value?.items.length, 0);
    assert.deepEqual(model.live.value, []);
  });

  it('folds a log from its first event', () => {
    model.receive({ type: 'open', sessionId: log.id, state: null, live: [] });
    model.receive({ type: 'events', sessionId: log.id, events: log.events });
    assert.deepEqual(model.session.value, log.state);
  });

  it('joins deltas, replaces what overlaps, and drops the text when its item is finished', () => {
    model.receive(delta(0, 'Hello'));
    model.receive(delta(5, ' wor'));
    model.receive(delta(6, 'world'));
    assert.equal(model.live.value[0]?.text.value, 'Hello world');
    const events = log.add({ type: 'textFinished', itemId: 'x', text: { text: 'Hello world' } });
    model.receive({ type: 'events', sessionId: log.id, events });
    assert.deepEqual(model.live.value, []);
    model.receive(delta(0, 'Hello'));
    assert.deepEqual(model.live.value, []);
  });

  it('asks again when text is missing, but not all the time', () => {
    model.receive(delta(7, 'end'));
    assert.deepEqual(resyncs, [log.id]);
    model.receive(open());
    model.receive(delta(7, 'end'));
    assert.equal(resyncs.length, 1);
    now += 10_000;
    model.receive(delta(7, 'end'));
    assert.equal(resyncs.length, 2);
  });

  it('forgets text that was being written when the agent stops', () => {
    model.receive({ type: 'events', sessionId: log.id, events: log.turn(1, 'Hello') });
    model.receive(delta(0, 'half a sent'));
    model.receive({ type: 'events', sessionId: log.id, events: log.finish(1) });
    assert.deepEqual(model.live.value, []);
  });
});
