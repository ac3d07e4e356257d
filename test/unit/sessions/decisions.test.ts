import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { branchName, decideNext, isUnderWay, mayRelease, titleFrom } from '../../../server/src/sessions/decisions.ts';
import { agentFinished, created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const queued: EventBody = { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' };
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2.1.328', segment: 1, resumed: false };
const sent: EventBody = { type: 'messageSent', messageId: MESSAGE };
const turnStarted: EventBody = { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] };
const taken: EventBody = { type: 'messageTaken', messageId: MESSAGE };
const archived: EventBody = { type: 'sessionArchived', archived: true };
const ended: EventBody = { type: 'agentEnded', segment: 1, exitCode: 137, expected: true, cause: 'ended' };
const nextTurn: EventBody = { type: 'turnStarted', turn: 2, messageIds: [] };
const secondFinished: EventBody = {
  type: 'agentFinished',
  turn: 2,
  outcome: 'completed',
  usage: RUNTIME.turnUsage,
  durationMs: 5,
};
const failure = { code: 'agent_failed', message: 'It ended.', retryable: true };
const prepared = { ...RUNTIME, sandbox: { provider: 'local', id: 'snd_1' }, cloned: true };

describe('decideNext', () => {
  const cases: {
    name: string;
    events: EventBody[];
    runtime?: typeof RUNTIME;
    attached?: boolean;
    step: ReturnType<typeof decideNext>;
  }[] = [
    { name: 'nothing to do', events: [created], step: { kind: 'wait' } },
    { name: 'a first message', events: [created, queued], step: { kind: 'prepareSandbox' } },
    {
      name: 'a sandbox without a clone',
      events: [created, queued],
      runtime: { ...prepared, cloned: false },
      step: { kind: 'prepareSandbox' },
    },
    { name: 'a sandbox without an agent', events: [created, queued], runtime: prepared, step: { kind: 'startAgent' } },
    {
      name: 'an agent after a restart of the relay',
      events: [created, queued, started],
      runtime: prepared,
      step: { kind: 'attachAgent' },
    },
    {
      name: 'an agent that is ready',
      events: [created, queued, started],
      runtime: prepared,
      attached: true,
      step: { kind: 'deliver', messageId: MESSAGE, text: 'hello' },
    },
    {
      name: 'a message on its way',
      events: [created, queued, started, sent],
      runtime: prepared,
      attached: true,
      step: { kind: 'wait' },
    },
    {
      name: 'an open turn',
      events: [
        created,
        queued,
        started,
        sent,
        turnStarted,
        taken,
        { ...queued, messageId: `${MESSAGE.slice(0, -1)}1` },
      ],
      runtime: prepared,
      attached: true,
      step: { kind: 'wait' },
    },
    {
      name: 'a turn without its checkpoint',
      events: [created, queued, started, sent, turnStarted, taken, agentFinished],
      runtime: prepared,
      attached: true,
      step: { kind: 'checkpoint', turn: 1 },
    },
    {
      name: 'a message that its agent had not taken when it ended',
      events: [
        created,
        queued,
        started,
        sent,
        { type: 'agentEnded', segment: 1, exitCode: 1, expected: false, cause: 'ended' },
      ],
      runtime: prepared,
      step: { kind: 'startAgent' },
    },
    {
      name: 'a failure',
      events: [created, queued, { type: 'sessionBlocked', failure }],
      runtime: prepared,
      step: { kind: 'wait' },
    },
    {
      name: 'an archived session',
      events: [created, queued, archived],
      step: { kind: 'wait' },
    },
    {
      name: 'an archived session whose agent still runs',
      events: [created, queued, started, archived],
      runtime: prepared,
      attached: true,
      step: { kind: 'endAgent', segment: 1 },
    },
    {
      name: 'the same after a restart of the relay',
      events: [created, queued, started, archived],
      runtime: prepared,
      step: { kind: 'attachAgent' },
    },
    {
      name: 'an archived session with work that is in no checkpoint',
      events: [created, queued, started, sent, turnStarted, taken, archived, ended, agentFinished],
      runtime: prepared,
      step: { kind: 'checkpoint', turn: 1 },
    },
    {
      name: 'an archived session whose agent was being started',
      events: [created, queued, archived],
      runtime: { ...prepared, starting: 1 },
      step: { kind: 'endAgent', segment: 1 },
    },
    {
      name: 'a stop while the agent was being started',
      events: [created, queued, { type: 'sessionBlocked', failure }],
      runtime: { ...prepared, starting: 1 },
      step: { kind: 'endAgent', segment: 1 },
    },
    {
      name: 'an agent in a session that is blocked, after a restart',
      events: [created, queued, started, { type: 'sessionBlocked', failure }],
      runtime: prepared,
      step: { kind: 'attachAgent' },
    },
    {
      name: 'a turn without its checkpoint when the agent has begun the next by itself',
      events: [created, queued, started, sent, turnStarted, taken, agentFinished, nextTurn],
      runtime: prepared,
      attached: true,
      step: { kind: 'checkpoint', turn: 1 },
    },
    {
      name: 'two turns without their checkpoints',
      events: [created, queued, started, sent, turnStarted, taken, agentFinished, nextTurn, secondFinished],
      runtime: prepared,
      attached: true,
      step: { kind: 'checkpoint', turn: 1 },
    },
  ];
  for (const { name, events, runtime = RUNTIME, attached = false, step } of cases) {
    it(`answers ${step.kind} for ${name}`, () => {
      assert.deepEqual(decideNext(stateAfter(events), runtime, attached), step);
    });
  }
});

describe('isUnderWay', () => {
  const underWay = (events: EventBody[], runtime = prepared): boolean =>
    isUnderWay({ summary: summarize(stateAfter(events)), runtime: JSON.stringify(runtime) });

  it('is a session with an agent, with something to do, or with work in no checkpoint', () => {
    assert.equal(underWay([created]), true);
    assert.equal(underWay([created, queued, started]), true);
    assert.equal(underWay([created, queued, started, ended]), true);
    assert.equal(underWay([created, queued, started, sent, turnStarted, taken, ended, agentFinished]), true);
    assert.equal(underWay([created, started, ended]), false);
  });

  it('is no session that waits for a person, nor one that is archived', () => {
    assert.equal(underWay([created, queued, { type: 'sessionBlocked', failure }]), false);
    assert.equal(underWay([created, queued, archived]), false);
  });

  it('is one that must still end its agent', () => {
    assert.equal(underWay([created, queued, started, archived]), true);
    assert.equal(underWay([created, queued, archived], { ...prepared, starting: 1 }), true);
    assert.equal(underWay([created, queued, { type: 'sessionBlocked', failure }], { ...prepared, starting: 1 }), true);
  });
});

describe('mayRelease', () => {
  const IDLE_MS = 1000;
  const waiting: EventBody[] = [created, started];
  const may = (events: EventBody[], runtime: Partial<typeof prepared> = {}, now = 10_000): boolean =>
    mayRelease(stateAfter(events), { ...prepared, backgroundTasks: 0, ...runtime }, IDLE_MS, now);

  it('is so for an agent that had nothing to do for long', () => {
    assert.equal(may(waiting), true);
    assert.equal(may(waiting, {}, 1500), false);
  });

  it('is not so while anything is under way', () => {
    assert.equal(may([created]), false);
    assert.equal(may([...waiting, queued]), false);
    assert.equal(may([...waiting, queued, sent, turnStarted, taken]), false);
    assert.equal(may([...waiting, queued, sent, turnStarted, taken, agentFinished]), false);
    assert.equal(may(waiting, { backgroundTasks: 1 }), false);
    assert.equal(may(waiting, { backgroundTasks: undefined }), false);
    assert.equal(may(waiting, { releasing: 1 }), false);
  });

  it('keeps a message from an agent that is on its way out', () => {
    const runtime = { ...prepared, releasing: 1 };
    assert.deepEqual(decideNext(stateAfter([...waiting, queued]), runtime, true), { kind: 'wait' });
    assert.deepEqual(decideNext(stateAfter([...waiting, queued, ended]), runtime, true), { kind: 'startAgent' });
  });
});

describe('titleFrom', () => {
  it('takes the first line that says something', () => {
    assert.equal(titleFrom('\n\n  Fix the test \nplease'), 'Fix the test');
  });
  it('cuts a long line', () => {
    assert.equal(titleFrom('x'.repeat(200)).length, 80);
  });
});

describe('branchName', () => {
  const id = 'ses_0123456789abcdefghjkmnpqrs';
  it('is readable and ends with the session', () => {
    assert.equal(branchName('Fix: the “Größe” of --boxes!', id), 'sandpiper/fix-the-gro-e-of-boxes-mnpqrs');
  });
  it('stays valid for a title without letters', () => {
    assert.equal(branchName('…/..', id), 'sandpiper/session-mnpqrs');
  });
});
