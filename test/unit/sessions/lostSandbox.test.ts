import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { decideNext } from '../../../server/src/sessions/decisions.ts';
import { lostSandbox } from '../../../server/src/sessions/lostSandbox.ts';
import { BASE, created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const runtime = { ...RUNTIME, sandbox: { provider: 'local', id: 's1' }, cloned: true };
const working: EventBody[] = [
  created,
  { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' },
  { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false },
  { type: 'messageSent', messageId: MESSAGE },
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];

function lost(events: readonly EventBody[]) {
  const draft = lostSandbox(stateAfter(events), runtime, 's1', 'The sandbox s1 no longer exists.', 2000);
  const after = { ...runtime, ...draft.runtime };
  const state = stateAfter([...events, ...draft.events]);
  return { types: draft.events.map(({ type }) => type), state, next: decideNext(state, after, false).kind };
}

describe('a lost sandbox', () => {
  it('ends the open turn without a checkpoint of its own and hands its message over again', () => {
    const { types, state, next } = lost(working);
    assert.deepEqual(types, ['agentEnded', 'agentFinished', 'turnFinished', 'sandboxLost']);
    assert.equal(state.turns[0]?.checkpoint?.commit, BASE);
    assert.deepEqual(
      state.items.flatMap(item => (item.kind === 'message' ? [item.delivery] : [])),
      ['queued'],
    );
    assert.equal(state.interrupted, undefined);
    assert.equal(next, 'prepareSandbox');
  });
  it('asks for nothing when nothing was under way', () => {
    const { types, next } = lost([created]);
    assert.deepEqual(types, ['sandboxLost']);
    assert.equal(next, 'wait');
  });
  it('hands over nothing that a person stopped or put away', () => {
    for (const ending of [
      { type: 'stopRequested', by: 'owner' },
      { type: 'sessionArchived', archived: true },
    ] as const) {
      const { state, next } = lost([...working, ending]);
      assert.equal(state.turns[0]?.agent?.outcome, 'stopped');
      assert.equal(next, 'wait');
    }
  });
  it('waits for a person when it is lost again and again', () => {
    let events = [...working];
    for (let times = 1; times <= 4; times++) {
      events = [...events, ...lostSandbox(stateAfter(events), runtime, 's1', 'Gone.', 2000).events];
      assert.equal(stateAfter(events).phase.kind === 'blocked', times === 4, `time ${times}`);
    }
  });
});
