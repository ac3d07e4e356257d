import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { activityText, describeActivity } from '../../../protocol/activity.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import {
  decideWatch,
  judge,
  needsWatch,
  type Evidence,
  type Health,
  type Ladder,
} from '../../../server/src/sessions/liveness.ts';
import { created, MESSAGE, stateAfter } from './sessionFixtures.ts';

const STUCK_MS = 120_000;
const started = (segment: number): EventBody => ({
  type: 'agentStarted',
  agent: 'claude',
  version: '2',
  segment,
  resumed: segment > 1,
});
const sent: EventBody[] = [
  created,
  { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' },
  started(1),
  { type: 'messageSent', messageId: MESSAGE },
];
const working: EventBody[] = [
  ...sent,
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];
const tool: EventBody = { type: 'toolStarted', toolId: 't1', name: 'Bash', title: 'npm test', input: { text: '{}' } };
const retrying: EventBody = {
  type: 'modelRetrying',
  attempt: 2,
  maxAttempts: 10,
  delayMs: 300_000,
  status: 429,
  message: 'The model service is limiting requests (HTTP 429).',
};
const asked: EventBody = {
  type: 'approvalAsked',
  approvalId: 'a1',
  kind: 'tool',
  name: 'Bash',
  title: 'npm test',
  input: { text: '{}' },
  canAlwaysAllow: true,
};
const noticed: EventBody = {
  type: 'stuckNoticed',
  cause: 'It is silent.',
  since: 500,
  hint: 'Recover it.',
  automatic: false,
};
const recovery: EventBody = { type: 'recoveryStarted', by: 'relay', attempt: 1, delayMs: 0, cause: 'It is silent.' };
const thirdRecovery: EventBody = {
  type: 'recoveryStarted',
  by: 'relay',
  attempt: 3,
  delayMs: 0,
  cause: 'It is silent.',
};
const died: EventBody[] = [
  { type: 'agentEnded', segment: 1, exitCode: 137, expected: false, cause: 'The agent process ended.' },
  { type: 'agentFinished', turn: 1, outcome: 'failed', usage: NO_USAGE, durationMs: 5 },
];

/** Silent for long, and nothing else to see. */
const SILENT: Evidence = {
  silentMs: 130_000,
  modelCalls: 0,
  modelSilentMs: 0,
  cpuIdleMs: 70_000,
  held: false,
  conversationQuietMs: undefined,
  heartbeatMs: 30_000,
};

function verdict(events: readonly EventBody[], evidence: Partial<Evidence>): string {
  const health = judge(stateAfter(events), { ...SILENT, ...evidence }, { stuckMs: STUCK_MS });
  return health.kind === 'suspect' ? `${health.why}${health.safe ? ', safe' : ''}` : health.kind;
}

describe('judge', () => {
  const cases: { name: string; events: EventBody[]; evidence: Partial<Evidence>; says: string }[] = [
    { name: 'output', events: working, evidence: { silentMs: 1000 }, says: 'well' },
    { name: 'a silent agent', events: working, evidence: {}, says: 'silent, safe' },
    {
      name: 'a silent agent on a machine that shows no processes',
      events: working,
      evidence: { cpuIdleMs: undefined },
      says: 'silent, safe',
    },
    { name: 'a model that thinks', events: working, evidence: { modelCalls: 1, modelSilentMs: 100_000 }, says: 'well' },
    { name: 'a busy processor', events: working, evidence: { cpuIdleMs: 3000 }, says: 'well' },
    { name: 'a pause before the next try', events: [...working, retrying], evidence: {}, says: 'well' },
    {
      name: 'a pause that is long over',
      events: [...working, retrying],
      evidence: { silentMs: 430_000 },
      says: 'silent, safe',
    },
    { name: 'a paused process', events: working, evidence: { held: true, modelCalls: 1 }, says: 'held, safe' },
    {
      name: 'a paused process with a tool',
      events: [...working, tool],
      evidence: { held: true, silentMs: 121_000 },
      says: 'held',
    },
    { name: 'a tool with heartbeats', events: [...working, tool], evidence: { silentMs: 29_000 }, says: 'well' },
    {
      name: 'a tool without a heartbeat but with work',
      events: [...working, tool],
      evidence: { silentMs: 900_000, cpuIdleMs: 10 },
      says: 'well',
    },
    {
      name: 'a tool without heartbeat and work',
      events: [...working, tool],
      evidence: { silentMs: 900_000 },
      says: 'tool',
    },
    {
      name: 'a tool of an agent that has no heartbeats',
      events: [...working, tool],
      evidence: { silentMs: 900_000, heartbeatMs: undefined },
      says: 'well',
    },
    {
      name: 'a conversation that goes on unheard',
      events: working,
      evidence: { conversationQuietMs: 2000 },
      says: 'mute',
    },
    { name: 'a message that nobody takes', events: sent, evidence: {}, says: 'untaken, safe' },
    {
      name: 'a turn that goes on',
      events: [...working, recovery, ...died, started(2)],
      evidence: { silentMs: 5000 },
      says: 'well',
    },
    {
      name: 'an agent that waits until the old turn is saved',
      events: [...working, recovery, ...died, started(2)],
      evidence: { silentMs: 21_000 },
      says: 'well',
    },
  ];
  for (const { name, events, evidence, says } of cases) {
    it(`says ${says} of ${name}`, () => assert.equal(verdict(events, evidence), says));
  }

  it('tells that there is no turn to go on with once the old turn is saved', () => {
    const saved: EventBody = {
      type: 'turnFinished',
      turn: 1,
      outcome: 'failed',
      checkpoint: 'b'.repeat(40),
      changed: true,
      stats: { files: 1, insertions: 1, deletions: 0 },
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
    };
    assert.equal(verdict([...working, recovery, ...died, saved, started(2)], { silentMs: 21_000 }), 'nothingToResume');
  });

  it('names a model that lets it wait', () => {
    const evidence = { ...SILENT, silentMs: 20_000, modelCalls: 1, modelSilentMs: 15_000 };
    assert.deepEqual(judge(stateAfter(working), evidence, { stuckMs: STUCK_MS }), {
      kind: 'well',
      modelSilentMs: 15_000,
    });
  });
});

describe('needsWatch', () => {
  it('is so while an agent is awaited, and costs an idle session nothing', () => {
    assert.equal(needsWatch(stateAfter(working)), true);
    assert.equal(needsWatch(stateAfter(sent)), true);
    assert.equal(needsWatch(stateAfter(sent.slice(0, 3))), false, 'nothing was handed to it');
    assert.equal(needsWatch(stateAfter([...working, asked])), false, 'a person is awaited, for as long as it takes');
    assert.equal(needsWatch(stateAfter([...working, { type: 'stopRequested', by: 'owner' }])), false);
    assert.equal(needsWatch(stateAfter([...working, ...died])), false);
    assert.equal(needsWatch(stateAfter([...working, noticed, recovery])), false, 'it is being ended');
    assert.equal(needsWatch(stateAfter([...sent, recovery])), false, 'it is being ended');
  });
});

describe('decideWatch', () => {
  const ladder = { interruptedMs: undefined, graceMs: 15_000, maxRecoveries: 3 };
  const suspect = (why: 'silent' | 'held' | 'tool', safe: boolean): Health => ({
    kind: 'suspect',
    why,
    cause: 'It is silent.',
    safe,
  });
  const decide = (events: EventBody[], health: Health, more: Partial<Ladder> = {}) =>
    decideWatch(stateAfter(events), health, { ...ladder, ...more }).kind;
  const stuck = [...working, noticed];

  it('tells first, interrupts then, and ends and resumes when that does not help', () => {
    assert.equal(decide(working, suspect('silent', true)), 'noticeStuck');
    assert.equal(decide(stuck, suspect('silent', true)), 'interrupt');
    assert.equal(decide(stuck, suspect('silent', true), { interruptedMs: 10_000 }), 'none');
    assert.equal(decide(stuck, suspect('silent', true), { interruptedMs: 15_000 }), 'recover');
  });
  it('does not interrupt what cannot hear', () => assert.equal(decide(stuck, suspect('held', true)), 'recover'));
  it('leaves to a person what may be half done', () => assert.equal(decide(stuck, suspect('tool', false)), 'none'));
  it('leaves to a person what did not help three times', () => {
    const often = [...working, thirdRecovery, started(2), noticed];
    assert.equal(decide(often, suspect('held', true)), 'none');
  });
  it('takes it back when the agent moves again', () => {
    assert.equal(decide(stuck, { kind: 'well' }), 'endStuck');
    assert.equal(decide(working, { kind: 'well' }), 'none');
  });
});

describe('the words of an activity', () => {
  const words = (events: EventBody[], now: number) => activityText(describeActivity(stateAfter(events)), now);

  it('are the same for everybody and say for how long', () => {
    assert.equal(words(working, 1005 + 12_000), 'Thinking 12 s');
    assert.equal(words([...working, tool], 1006 + 192_000), 'npm test 3:12');
    assert.equal(words([...working, retrying], 5000), 'Model is throttling, retry 2 of 10');
    assert.equal(words([...working, asked], 90_000), 'Waiting for you');
    assert.equal(words([...working, noticed], 500 + 250_000), 'Stuck: silent for 4 min');
    assert.equal(words([...working, noticed], 500 + 30_000), 'Stuck: silent for 30 s');
    assert.equal(words([...working, noticed, recovery], 1007 + 2000), 'Ending the agent 2 s');
  });
  it('are never of a negative time, whatever the clock says', () => {
    assert.equal(words(working, -3_600_000), 'Thinking 0 s');
    assert.equal(words([...working, noticed], 0), 'Stuck: silent for 0 s');
  });
  it('end with a sign of life', () => {
    assert.equal(describeActivity(stateAfter([...working, noticed, tool])).kind, 'tool');
    assert.equal(describeActivity(stateAfter([...working, noticed, { type: 'stuckEnded' }])).kind, 'thinking');
  });
});
