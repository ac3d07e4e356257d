import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { describeActivity } from '../../../protocol/activity.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { reduceEvents, reduceSession } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { CREATED } from '../../support/wireSource.ts';

const ID = `ses_${'0'.repeat(26)}`;
const MESSAGE = `msg_${'0'.repeat(26)}`;
const COMMIT = 'b'.repeat(40);
const USAGE = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4, costUsd: 0.5 };
const STATS = { files: 1, insertions: 2, deletions: 3 };

function reduce(...bodies: EventBody[]): SessionState {
  const all = [CREATED, ...bodies];
  const state = all.reduce<SessionState | undefined>(
    (before, body, index) => reduceSession(before, { seq: index + 1, at: (index + 1) * 1_000, body }, ID),
    undefined,
  );
  assert.ok(state);
  return state;
}

const READY: EventBody[] = [
  { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false },
  { type: 'messageQueued', messageId: MESSAGE, text: 'Do it', by: 'me' },
];
const WORKING: EventBody[] = [
  ...READY,
  { type: 'messageSent', messageId: MESSAGE },
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];
const TOOL: EventBody = { type: 'toolStarted', toolId: 't1', name: 'Bash', title: 'npm test', input: { text: '{}' } };
const ASKED: EventBody = {
  type: 'approvalAsked',
  approvalId: 'a1',
  kind: 'tool',
  toolId: 't1',
  name: 'Bash',
  title: 'npm test',
  input: { text: '{}' },
  canAlwaysAllow: true,
};
const AGENT_FINISHED: EventBody = {
  type: 'agentFinished',
  turn: 1,
  outcome: 'completed',
  usage: USAGE,
  durationMs: 10,
};
const TURN_FINISHED: EventBody = {
  type: 'turnFinished',
  turn: 1,
  outcome: 'completed',
  checkpoint: COMMIT,
  changed: true,
  stats: STATS,
  review: { pendingFiles: 1, pending: 1, reviewed: 0 },
};
const retrying = (status: number | null): EventBody => ({
  type: 'modelRetrying',
  attempt: 2,
  maxAttempts: 10,
  delayMs: 1,
  status,
  message: 'x',
});

const activity = (...bodies: EventBody[]): string => describeActivity(reduce(...bodies)).label;

describe('reducer', () => {
  it('refuses an event that is not the next one, and a log without a beginning', () => {
    const state = reduce();
    assert.throws(() => reduceSession(state, { seq: 3, at: 0, body: TOOL }, ID), /event 3 came where 2 was due/);
    assert.throws(() => reduceSession(state, { seq: 1, at: 0, body: CREATED }, ID), /event 1 came/);
    assert.throws(() => reduceSession(undefined, { seq: 1, at: 0, body: TOOL }, ID), /begins with toolStarted/);
  });

  it('is idle until the agent runs, then works, checkpoints, and is done with its checkpoint (I8)', () => {
    assert.equal(reduce().phase.kind, 'preparing');
    assert.equal(reduce(...READY).phase.kind, 'idle');
    assert.equal(reduce(...WORKING).phase.kind, 'working');
    const finished = reduce(...WORKING, AGENT_FINISHED);
    assert.equal(finished.phase.kind, 'checkpointing');
    assert.equal(finished.turns[0]?.checkpoint, undefined);
    const done = reduce(...WORKING, AGENT_FINISHED, TURN_FINISHED);
    assert.equal(done.phase.kind, 'idle');
    assert.equal(done.turns[0]?.checkpoint?.commit, COMMIT);
    assert.deepEqual([done.proposed, done.accepted, done.stats, done.usage], [COMMIT, CREATED_BASE, STATS, USAGE]);
    assert.deepEqual(done.items.at(-1), {
      kind: 'turnEnd',
      id: 'turnEnd:8',
      at: 8_000,
      turn: 1,
      outcome: 'completed',
      changed: true,
      usage: USAGE,
      durationMs: 10,
    });
  });

  it('follows a message from the queue to the agent', () => {
    const delivery = (...bodies: EventBody[]): unknown => Reflect.get(reduce(...bodies).items[0] ?? {}, 'delivery');
    assert.equal(delivery(...READY), 'queued');
    assert.equal(delivery(...WORKING.slice(0, 3)), 'sent');
    assert.equal(delivery(...WORKING), 'taken');
  });

  it('lets the first answer to an approval stand and withdraws what the turn leaves open', () => {
    const allowed: EventBody = { type: 'approvalAnswered', approvalId: 'a1', decision: { kind: 'allow' }, by: 'me' };
    const denied: EventBody = { type: 'approvalAnswered', approvalId: 'a1', decision: { kind: 'deny' }, by: 'you' };
    const state = reduce(...WORKING, TOOL, ASKED, allowed, denied);
    assert.equal(state.approvals.length, 0);
    assert.deepEqual(
      state.answered.map(({ answer }) => answer),
      [{ decision: { kind: 'allow' }, by: 'me' }],
    );
    assert.equal(Reflect.get(state.items.at(-1) ?? {}, 'state'), 'running');
    const left = reduce(...WORKING, TOOL, ASKED, AGENT_FINISHED);
    assert.deepEqual([left.approvals, left.answered[0]?.answer], [[], { withdrawn: 'The turn ended.' }]);
    assert.equal(Reflect.get(left.items.at(-1) ?? {}, 'state'), 'stopped');
  });

  it('keeps both turns right when the agent begins one by itself before the checkpoint of the last', () => {
    const second: EventBody[] = [...WORKING, AGENT_FINISHED, { type: 'turnStarted', turn: 2, messageIds: [] }];
    const saved = reduce(...second, TURN_FINISHED);
    assert.deepEqual(saved.phase, { kind: 'working', turn: 2, since: 8_000 });
    assert.equal(saved.turns[0]?.checkpoint?.commit, COMMIT);
    const both = reduce(...second, { ...AGENT_FINISHED, turn: 2 }, TURN_FINISHED);
    assert.deepEqual(both.phase, { kind: 'checkpointing', turn: 2, since: 10_000 });
    assert.equal(
      reduce(...second, { ...AGENT_FINISHED, turn: 2 }, TURN_FINISHED, { ...TURN_FINISHED, turn: 2 }).phase.kind,
      'idle',
    );
  });

  it('takes a stop before the turn began for that turn', () => {
    const stopped = [...WORKING.slice(0, 3), { type: 'stopRequested', by: 'me' } as const];
    assert.deepEqual(reduce(...stopped).phase, { kind: 'stopping', turn: 1, since: 5_000 });
    assert.equal(reduce(...stopped, { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] }).phase.kind, 'stopping');
    assert.equal(reduce(...READY, { type: 'stopRequested', by: 'me' }).phase.kind, 'idle');
  });

  it('does after a failure what the turns say', () => {
    const failure = { code: 'git_failed', message: 'No.', retryable: true };
    const again: EventBody[] = [
      { type: 'sessionBlocked', failure },
      { type: 'sessionResumed', by: 'me' },
    ];
    assert.equal(reduce(...again).phase.kind, 'idle');
    assert.deepEqual(reduce(...WORKING, ...again).phase, { kind: 'working', turn: 1, since: 5_000 });
    assert.equal(reduce(...WORKING, AGENT_FINISHED, ...again).phase.kind, 'checkpointing');
    assert.equal(reduce(...WORKING, AGENT_FINISHED, ...again, TURN_FINISHED).phase.kind, 'idle');
  });

  it('leaves nothing open that an agent asked or began between two turns and then ended', () => {
    const state = reduce(...READY, TOOL, ASKED, {
      type: 'agentEnded',
      segment: 1,
      exitCode: 0,
      expected: true,
      cause: 'x',
    });
    assert.deepEqual([state.approvals, state.answered[0]?.answer], [[], { withdrawn: 'The agent ended.' }]);
    assert.equal(Reflect.get(state.items.at(-1) ?? {}, 'state'), 'stopped');
  });

  it('ignores an event of a type it does not know, but for the seq', () => {
    const before = reduce(...WORKING);
    const unknown: unknown = JSON.parse('{"type":"somethingNewer","x":1}');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a newer relay may send
    const after = reduceSession(before, { seq: before.seq + 1, at: 9, body: unknown as EventBody }, ID);
    assert.deepEqual(after, { ...before, seq: before.seq + 1, updatedAt: 9 });
  });

  it('ignores names that every object has', () => {
    const before = reduce(...WORKING);
    for (const type of ['constructor', 'toString', '__proto__']) {
      const body: unknown = { type };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a hostile log may hold
      const after = reduceSession(before, { seq: before.seq + 1, at: 9, body: body as EventBody }, ID);
      assert.deepEqual(after, { ...before, seq: before.seq + 1, updatedAt: 9 }, type);
    }
  });

  it('gives the same state in one go and in parts, and never changes what it was given', () => {
    const bodies = [...WORKING, TOOL, ASKED, retrying(529), AGENT_FINISHED, TURN_FINISHED];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bodies), { maxLength: 30 }), chosen => {
        const whole = reduce(...chosen);
        const frozen = JSON.stringify(whole);
        const next = reduceSession(whole, { seq: whole.seq + 1, at: 0, body: TOOL }, ID);
        assert.equal(JSON.stringify(whole), frozen);
        assert.equal(next.seq, chosen.length + 2);
        assert.deepEqual(
          reduce(...chosen, TOOL).items,
          next.items.map((item, index) =>
            index === next.items.length - 1 ? { ...item, at: (chosen.length + 2) * 1_000 } : item,
          ),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same state for many events at once as one by one, and never changes what it was given', () => {
    const bodies = [
      ...WORKING,
      TOOL,
      ASKED,
      retrying(529),
      AGENT_FINISHED,
      TURN_FINISHED,
      { type: 'approvalAnswered', approvalId: 'a1', decision: { kind: 'allow' }, by: 'me' },
      { type: 'toolFinished', toolId: 't1', outcome: 'ok', output: { text: 'x' } },
      { type: 'agentEnded', segment: 1, exitCode: 1, expected: false, cause: 'x' },
      { type: 'stopRequested', by: 'me' },
    ] satisfies EventBody[];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bodies), { maxLength: 40 }), fc.nat(40), (chosen, cut) => {
        const events = [CREATED, ...chosen].map((body, index) => ({ seq: index + 1, at: (index + 1) * 1_000, body }));
        const begun = reduceEvents(undefined, events.slice(0, cut + 1), ID);
        const frozen = JSON.stringify(begun);
        assert.deepEqual(reduceEvents(begun, events.slice(cut + 1), ID), reduce(...chosen));
        assert.equal(JSON.stringify(begun), frozen);
      }),
      { numRuns: 200 },
    );
  });
});

const CREATED_BASE = 'a'.repeat(40);

describe('activity', () => {
  it('says in words what a session is doing', () => {
    assert.equal(activity(), 'Reading the repository');
    assert.equal(activity({ type: 'preparing', step: 'clone' }), 'Cloning into the sandbox');
    assert.equal(activity(READY[0] ?? TOOL), 'Idle');
    assert.equal(activity(...READY), 'Handing the message to the agent');
    assert.equal(activity(...WORKING), 'Thinking');
    assert.equal(activity(...WORKING, TOOL), 'npm test');
    assert.equal(activity(...WORKING, TOOL, ASKED), 'Waiting for you');
    assert.equal(activity(...WORKING, retrying(529)), 'Model is throttling, retry 2 of 10');
    assert.equal(activity(...WORKING, retrying(null)), 'Model does not answer, retry 2 of 10');
    assert.equal(activity(...WORKING, retrying(529), TOOL), 'npm test');
    assert.equal(activity(...WORKING, { type: 'stopRequested', by: 'me' }), 'Stopping');
    assert.equal(activity(...WORKING, AGENT_FINISHED), 'Saving a checkpoint');
    assert.equal(activity(...WORKING, AGENT_FINISHED, TURN_FINISHED), 'Ready to review');
    const failure = { code: 'git_failed', message: 'No clone.', retryable: true };
    assert.equal(activity({ type: 'sessionBlocked', failure }), 'No clone.');
    assert.equal(activity({ type: 'sessionArchived', archived: true }), 'Archived');
  });

  it('counts what waits for a person and what is pending in the row of the list', () => {
    const waiting = summarize(reduce(...WORKING, TOOL, ASKED));
    assert.deepEqual([waiting.needsYou, waiting.pending, waiting.seq], [1, false, 8]);
    const failure = { code: 'git_failed', message: 'No clone.', retryable: true };
    assert.equal(summarize(reduce({ type: 'sessionBlocked', failure })).needsYou, 1);
    assert.equal(summarize(reduce(...WORKING, AGENT_FINISHED, TURN_FINISHED)).pending, true);
  });
});
