import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { undeliveredMessages, whatToStop } from '../../../protocol/stopping.ts';
import { agentFinished, created, MESSAGE, stateAfter } from '../sessions/sessionFixtures.ts';

const other = `${MESSAGE.slice(0, -1)}1`;
const queued: EventBody = { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' };
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false };
const sent: EventBody = { type: 'messageSent', messageId: MESSAGE };
const working: EventBody[] = [
  created,
  queued,
  started,
  sent,
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];
const finished: EventBody = {
  type: 'turnFinished',
  turn: 1,
  outcome: 'completed',
  checkpoint: 'b'.repeat(40),
  changed: false,
  stats: { files: 0, insertions: 0, deletions: 0 },
  review: { pendingFiles: 0, pending: 0, reviewed: 0 },
};
const blocked: EventBody = {
  type: 'sessionBlocked',
  failure: { code: 'git_failed', message: 'No.', retryable: true },
};

describe('whatToStop', () => {
  const cases: { name: string; events: EventBody[]; what: 'turn' | 'start' | undefined }[] = [
    { name: 'the preparation', events: [created, queued], what: 'start' },
    {
      name: 'an agent that is being started',
      events: [created, queued, { type: 'preparing', step: 'agent' }],
      what: 'start',
    },
    { name: 'a message on its way to the agent', events: [created, queued, started, sent], what: 'turn' },
    { name: 'a turn', events: working, what: 'turn' },
    { name: 'a turn in a session that is blocked', events: [...working, blocked], what: 'turn' },
    { name: 'a checkpoint', events: [...working, agentFinished], what: undefined },
    { name: 'nothing', events: [...working, agentFinished, finished], what: undefined },
    { name: 'a session that is blocked', events: [created, queued, blocked], what: undefined },
    {
      name: 'an archived session',
      events: [created, queued, { type: 'sessionArchived', archived: true }],
      what: undefined,
    },
  ];
  for (const { name, events, what } of cases) {
    it(`is ${what ?? 'nothing'} for ${name}`, () => {
      assert.equal(whatToStop(stateAfter(events)), what);
    });
  }
});

describe('undeliveredMessages', () => {
  it('are those that the agent has not taken, the oldest first', () => {
    const { items } = stateAfter([...working, { ...queued, messageId: other }, { ...queued, messageId: `${other}x` }]);
    assert.deepEqual(
      undeliveredMessages(items).map(message => message.id),
      [other, `${other}x`],
    );
    assert.deepEqual(undeliveredMessages(stateAfter(working).items), []);
  });
});
