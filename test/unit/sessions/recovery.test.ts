import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { decideNext } from '../../../server/src/sessions/decisions.ts';
import { endEvents } from '../../../server/src/sessions/agentEnd.ts';
import { delayLeftMs, recoverEvents, recoveryAfterEnd } from '../../../server/src/sessions/recovery.ts';
import { created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const runtime = { ...RUNTIME, sandbox: { provider: 'local', id: 's1' }, cloned: true };
const working: EventBody[] = [
  created,
  { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' },
  { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false },
  { type: 'messageSent', messageId: MESSAGE },
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
];
const tool: EventBody = { type: 'toolStarted', toolId: 't1', name: 'Bash', title: 'make', input: { text: '{}' } };
const saved: EventBody = {
  type: 'turnFinished',
  turn: 1,
  outcome: 'failed',
  checkpoint: 'b'.repeat(40),
  changed: false,
  stats: { files: 0, insertions: 0, deletions: 0 },
  review: { pendingFiles: 0, pending: 0, reviewed: 0 },
};

/** The log after the agent ended, with what the relay does about it by itself. */
function afterEnd(events: readonly EventBody[], exitCode: number | null = 137): EventBody[] {
  const state = stateAfter(events);
  const ended = endEvents(state, runtime, { segment: state.agent.segment, exitCode, stderr: '' });
  return [...events, ...ended, ...recoveryAfterEnd(state, ended)];
}
const step = (events: readonly EventBody[]) => decideNext(stateAfter(events), runtime, true).kind;
const attempts = (events: readonly EventBody[]) => events.filter(({ type }) => type === 'recoveryStarted').length;

describe('recovery', () => {
  it('goes on by itself when the process died and no tool ran: the work is saved first', () => {
    const events = afterEnd(working);
    assert.equal(attempts(events), 1);
    assert.equal(step(events), 'checkpoint');
    assert.equal(step([...events, saved]), 'startAgent');
    const resumed: EventBody[] = [
      ...events,
      saved,
      { type: 'agentStarted', agent: 'claude', version: '2', segment: 2, resumed: true },
    ];
    assert.equal(step(resumed), 'wait', 'the agent begins the turn by itself');
    const going = stateAfter([...resumed, { type: 'turnStarted', turn: 2, messageIds: [] }]);
    assert.equal(going.interrupted ?? going.recovering, undefined);
  });

  it('waits for a person when a tool ran, and offers to go on', () => {
    const events = [...afterEnd([...working, tool]), saved];
    assert.equal(attempts(events), 0);
    assert.equal(step(events), 'wait');
    assert.equal(stateAfter(events).interrupted?.toolRan, true);
    const asked = [...events, ...recoverEvents(stateAfter(events))];
    assert.equal(attempts(asked), 1);
    assert.equal(step(asked), 'startAgent');
    assert.deepEqual(recoverEvents(stateAfter(asked)), [], 'a second click changes nothing');
  });

  it('gives up after three in a row, and a turn that ends well begins the count anew', () => {
    let events = [...working];
    for (let segment = 2; segment < 7; segment++) {
      events = [
        ...afterEnd(events),
        { ...saved, turn: segment - 1 } as EventBody,
        { type: 'agentStarted', agent: 'claude', version: '2', segment, resumed: true },
        { type: 'turnStarted', turn: segment, messageIds: [] },
      ];
    }
    assert.equal(attempts(events), 3);
    const delays = events.flatMap(event => (event.type === 'recoveryStarted' ? [event.delayMs] : []));
    assert.deepEqual(delays, [0, 500, 5000]);
    const state = stateAfter([
      ...events,
      { type: 'agentFinished', turn: 6, outcome: 'completed', usage: RUNTIME.turnUsage, durationMs: 1 },
    ]);
    assert.equal(state.recoveries, 0);
  });

  it('tries again when the agent dies before it goes on, and blocks when that does not help', () => {
    let events = [...afterEnd(working), saved];
    for (let segment = 2; segment <= 4; segment++) {
      assert.equal(step(events), 'startAgent');
      events = afterEnd(
        [...events, { type: 'agentStarted', agent: 'claude', version: '2', segment, resumed: true }],
        1,
      );
    }
    const { phase, recovering, interrupted } = stateAfter(events);
    assert.equal(attempts(events), 3);
    assert.equal(recovering, undefined);
    assert.equal(phase.kind === 'blocked' && phase.failure.code, 'agent_failed');
    assert.equal(interrupted?.turn, 1, 'a person can still go on with it');
  });

  it('ends a stuck agent first, and never one that it has just started', () => {
    const stuck: EventBody[] = [
      ...working,
      { type: 'stuckNoticed', cause: 'It is silent.', since: 1, hint: 'Recover it.', automatic: false },
    ];
    const events = [...stuck, ...recoverEvents(stateAfter(stuck))];
    assert.deepEqual(decideNext(stateAfter(events), runtime, true), { kind: 'endAgent', segment: 1 });
    assert.deepEqual(decideNext(stateAfter(events), runtime, false), { kind: 'attachAgent' });
    const ended = afterEnd(events);
    assert.equal(stateAfter(ended).turns[0]?.agent?.outcome, 'failed');
    assert.equal(attempts(ended), 1, 'it is under way already');
    assert.equal(step([...ended, saved]), 'startAgent');
  });

  it('is given up when a person stops', () => {
    const events = afterEnd(working);
    const stopped = stateAfter([
      ...events,
      { type: 'sessionBlocked', failure: { code: 'stopped', message: 'Stopped.', retryable: true } },
    ]);
    assert.equal(stopped.recovering, undefined);
    assert.deepEqual(
      recoverEvents(stopped).map(({ type }) => type),
      ['sessionResumed', 'recoveryStarted'],
    );
  });

  it('hands over again what was not taken, and nothing else', () => {
    const sent = working.slice(0, 4);
    const state = stateAfter([
      ...sent,
      ...recoverEvents({ ...stateAfter(sent), stuck: { since: 1, cause: 'Silent.', automatic: false } }),
    ]);
    assert.equal(decideNext(state, runtime, true).kind, 'endAgent');
    const ended = endEvents(state, runtime, { segment: 1, exitCode: 137, stderr: '' });
    assert.deepEqual(
      ended.map(({ type }) => type),
      ['agentEnded'],
    );
  });

  it('does not wait longer because a clock was moved', () => {
    const recovering = { since: 10_000_000, by: 'relay', attempt: 3, delayMs: 5000, cause: '', segment: 1 };
    assert.equal(delayLeftMs(recovering, 10_002_000), 3000);
    assert.equal(delayLeftMs(recovering, 10_000_000 - 3_600_000), 5000, 'an hour back');
    assert.equal(delayLeftMs(recovering, 10_000_000 + 3_600_000), 0, 'an hour forward');
    assert.equal(delayLeftMs(undefined, 0), 0);
  });
});
