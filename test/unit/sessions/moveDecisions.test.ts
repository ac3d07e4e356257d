import assert from 'node:assert/strict';
import type { EventBody } from '../../../protocol/events.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { createClaudeAgent } from '../../../server/src/agents/claude/claudeAgent.ts';
import { endEvents } from '../../../server/src/sessions/agentEnd.ts';
import { decideNext, isUnderWay } from '../../../server/src/sessions/decisions.ts';
import { leftAfterMove, leftWithout, startMove } from '../../../server/src/sessions/moveDecisions.ts';
import type { Runtime } from '../../../server/src/sessions/runtime.ts';
import { BASE, agentFinished, created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const agent = createClaudeAgent({ path: '' });
const queued: EventBody = { type: 'messageQueued', messageId: MESSAGE, text: 'do', by: 'owner' };
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false };
const turn: EventBody = { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] };
const taken: EventBody = { type: 'messageTaken', messageId: MESSAGE };
const saved: EventBody = {
  type: 'turnFinished',
  turn: 1,
  outcome: 'completed',
  checkpoint: BASE,
  changed: false,
  stats: { files: 0, insertions: 0, deletions: 0 },
  review: { pendingFiles: 0, pending: 0, reviewed: 0 },
};
const working = [created, queued, started, turn, taken];
const idle = [...working, agentFinished, saved];
const runtime: Runtime = { ...RUNTIME, sandbox: { provider: 'local', id: 'old' }, cloned: true };
const request = { provider: 'docker', isolation: 'container', stop: false } as const;
const begun: EventBody = { type: 'moveStarted', provider: 'docker', isolation: 'container', by: 'owner' };

const refusal = (bodies: readonly EventBody[], more: Partial<Runtime> = {}, stop = false): string => {
  try {
    startMove(agent, stateAfter(bodies), { ...runtime, ...more }, { ...request, stop });
    return '';
  } catch (error) {
    return String(error);
  }
};

describe('the beginning of a move', () => {
  it('names the provider in the row with the event', () => {
    const draft = startMove(agent, stateAfter(idle), runtime, request);
    assert.deepEqual(draft.events, [begun]);
    assert.deepEqual(draft.runtime, { left: [{ provider: 'docker' }] });
  });

  it('is refused while anything is under way that it would end', () => {
    assert.match(refusal(working), /The agent is at work/);
    assert.match(refusal([...working, agentFinished]), /being saved as a checkpoint/);
    assert.match(refusal(idle, { backgroundTasks: 1 }), /tasks in the background/);
    assert.match(refusal([...idle, begun]), /is being moved to Docker/);
    const updating: EventBody = { type: 'baseUpdateStarted', commit: BASE, branch: 'main', by: 'owner' };
    assert.match(refusal([...idle, updating]), /An update from the base is under way/);
    assert.match(refusal([...idle, { type: 'sessionArchived', archived: true }]), /archived/);
    assert.match(refusal([created]), /being prepared/);
    const deleting = { id: 'd', at: 1, force: false, wasArchived: false, call: { key: 'k', paramsHash: 'h' } };
    assert.match(refusal(idle, { deleting }), /being deleted/);
  });

  it('stops the turn where that is wanted', () => {
    assert.equal(refusal(working, {}, true), '');
    const draft = startMove(agent, stateAfter(working), runtime, { ...request, stop: true });
    assert.deepEqual(
      draft.events.map(({ type }) => type),
      ['stopRequested', 'moveStarted'],
    );
    assert.equal(draft.runtime?.stopping, 1);
  });

  it('takes a session that is blocked along, which goes on there', () => {
    const failure = { code: 'x', message: 'No.', retryable: false };
    const draft = startMove(agent, stateAfter([...idle, { type: 'sessionBlocked', failure }]), runtime, request);
    assert.deepEqual(
      draft.events.map(({ type }) => type),
      ['sessionResumed', 'moveStarted'],
    );
  });
});

describe('a move that is under way', () => {
  const left = [{ provider: 'docker' }];

  it('ends the agent first, also one of which the log does not know, and then is the next step', () => {
    const state = stateAfter([...idle, begun]);
    assert.deepEqual(decideNext(state, { ...runtime, left }, true), { kind: 'endAgent', segment: 1 });
    const ended: EventBody = { type: 'agentEnded', segment: 1, exitCode: null, expected: true, cause: '' };
    const without = stateAfter([...idle, begun, ended]);
    assert.deepEqual(decideNext(without, { ...runtime, left, starting: 2 }, false), { kind: 'endAgent', segment: 2 });
    assert.deepEqual(decideNext(without, { ...runtime, left }, false), { kind: 'move' });
    assert.equal(summarize(without).activity, 'Moving to Docker');
    assert.ok(isUnderWay({ summary: summarize(without), runtime: JSON.stringify({ ...runtime, left }) }));
  });

  it('expects the end of the agent, also when it was stopped before that', () => {
    const stopped: EventBody = {
      type: 'moveFailed',
      move: idle.length + 1,
      failure: { code: 'stopped', message: 'You stopped it.', retryable: true },
    };
    const state = stateAfter([...idle, begun, stopped, { ...queued, messageId: MESSAGE.replace('0', '1') }]);
    assert.equal(state.moving, undefined);
    const told = state.items.find(item => item.kind === 'notice');
    assert.deepEqual(told?.kind === 'notice' && [told.level, told.text], [
      'info',
      'Not moved to Docker: You stopped it.',
    ]);
    const end = { segment: 1, exitCode: null, stderr: '' };
    const events = endEvents(state, { ...runtime, releasing: 1, releaseReason: 'for the move' }, end);
    assert.deepEqual(
      events.map(body => [body.type, 'expected' in body && body.expected]),
      [['agentEnded', true]],
    );
    assert.equal(decideNext(state, { ...runtime, releasing: 1, left }, true).kind, 'removeLeft');
  });

  it('is what a stop stops, and ends when the session is archived', () => {
    const state = stateAfter([...idle, begun]);
    assert.equal(whatToStop(state), 'move');
    assert.equal(stateAfter([...idle, begun, { type: 'sessionArchived', archived: true }]).moving, undefined);
  });
});

describe('what a move leaves', () => {
  const ended: EventBody = { type: 'agentEnded', segment: 1, exitCode: null, expected: true, cause: '' };
  const rest = stateAfter([...idle, ended]);

  it('is the old sandbox after the switch, and no more the new one', () => {
    const both = { ...runtime, left: [{ provider: 'docker' }, { provider: 'e2b', id: 'older' }] };
    assert.deepEqual(leftAfterMove(both, 'local', { provider: 'docker', id: 'new' }), [
      { provider: 'e2b', id: 'older' },
      { provider: 'local', id: 'old' },
    ]);
  });

  it('is removed when nothing else is due, and keeps no message waiting', () => {
    const left = [{ provider: 'docker' }];
    assert.deepEqual(decideNext(rest, { ...runtime, left }, false), { kind: 'removeLeft' });
    const message = { ...queued, messageId: MESSAGE.replace('0', '1') };
    assert.equal(decideNext(stateAfter([...idle, ended, message]), { ...runtime, left }, false).kind, 'startAgent');
    const archived = stateAfter([...idle, ended, { type: 'sessionArchived', archived: true }]);
    assert.equal(decideNext(archived, { ...runtime, left }, false).kind, 'removeLeft');
  });

  it('is forgotten place by place, but for one that a move goes to again', () => {
    const left = [{ provider: 'docker' }, { provider: 'local', id: 'old' }];
    assert.deepEqual(leftWithout(rest, { ...runtime, left }, { provider: 'local', id: 'old' }), [
      { provider: 'docker' },
    ]);
    assert.equal(leftWithout(rest, { ...runtime, left: [{ provider: 'docker' }] }, { provider: 'docker' }), undefined);
    const again = stateAfter([...idle, begun]);
    const kept = leftWithout(again, { ...runtime, left: [{ provider: 'docker' }] }, { provider: 'docker' });
    assert.deepEqual(kept, [{ provider: 'docker' }]);
  });
});
