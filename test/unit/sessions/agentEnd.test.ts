import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { endEvents } from '../../../server/src/sessions/agentEnd.ts';
import { agentFinished, created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const begun: EventBody[] = [
  created,
  { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' },
  { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false },
];
const sent: EventBody[] = [...begun, { type: 'messageSent', messageId: MESSAGE }];
const working: EventBody[] = [
  ...sent,
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];
const stop: EventBody = { type: 'stopRequested', by: 'owner' };
const archive: EventBody = { type: 'sessionArchived', archived: true };

/** What the end says in short: types, whether it was expected, the outcome, the code of a failure. */
function ends(events: EventBody[], exitCode: number | null, inputs: number, stderr = ''): string[] {
  const runtime = { ...RUNTIME, inputs };
  return endEvents(stateAfter(events), runtime, { segment: 1, exitCode, stderr }).map(body => {
    switch (body.type) {
      case 'agentEnded':
        return body.expected ? 'expected' : 'unexpected';
      case 'agentFinished':
        return `turn ${body.outcome}`;
      case 'sessionBlocked':
        return `blocked ${body.failure.code}`;
      default:
        return body.type;
    }
  });
}

describe('the end of an agent', () => {
  const cases: { name: string; events: EventBody[]; exitCode: number | null; inputs: number; says: string[] }[] = [
    {
      name: 'means nothing between turns',
      events: [...working, agentFinished],
      exitCode: 0,
      inputs: 1,
      says: ['expected'],
    },
    { name: 'fails the open turn', events: working, exitCode: 137, inputs: 1, says: ['unexpected', 'turn failed'] },
    {
      name: 'fails the open turn also without an exit code',
      events: working,
      exitCode: null,
      inputs: 1,
      says: ['unexpected', 'turn failed'],
    },
    {
      name: 'stops a turn that was to stop',
      events: [...working, stop],
      exitCode: 137,
      inputs: 2,
      says: ['expected', 'turn stopped'],
    },
    {
      name: 'stops the turn of a session that was archived',
      events: [...working, archive],
      exitCode: 137,
      inputs: 1,
      says: ['expected', 'turn stopped'],
    },
    {
      name: 'blocks when it came before the first message was taken',
      events: sent,
      exitCode: 1,
      inputs: 1,
      says: ['unexpected', 'blocked agent_failed'],
    },
    {
      name: 'blocks also when it looked like success: it would do so for ever',
      events: sent,
      exitCode: 0,
      inputs: 1,
      says: ['unexpected', 'blocked agent_failed'],
    },
    { name: 'gives a later message to the next agent', events: sent, exitCode: 0, inputs: 2, says: ['expected'] },
    {
      name: 'keeps a message from the next agent when it was stopped',
      events: [...sent, stop],
      exitCode: 137,
      inputs: 2,
      says: ['expected', 'blocked stopped'],
    },
    {
      name: 'ends a stop that had nothing to stop',
      events: [...sent, stop, { type: 'messageTaken', messageId: MESSAGE }],
      exitCode: 0,
      inputs: 2,
      says: ['expected', 'sessionResumed'],
    },
  ];
  for (const { name, events, exitCode, inputs, says } of cases) {
    it(name, () => {
      assert.deepEqual(ends(events, exitCode, inputs), says);
    });
  }

  it('says what the agent said last', () => {
    const runtime = { ...RUNTIME, inputs: 1 };
    const events = endEvents(stateAfter(sent), runtime, { segment: 1, exitCode: 1, stderr: 'one\nno such model\n' });
    assert.match(JSON.stringify(events), /It said: no such model/);
  });
});
