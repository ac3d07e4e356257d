import assert from 'node:assert/strict';
import { currentCheckpoint, headsOf, restoreToUndo, setAside } from '../../../protocol/checkpoints.ts';
import type { EventBody } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { createClaudeAgent } from '../../../server/src/agents/claude/claudeAgent.ts';
import { decideNext } from '../../../server/src/sessions/decisions.ts';
import {
  planConversation,
  startRestore,
  targetCommit,
  type RestoreRequest,
} from '../../../server/src/sessions/restoreDecisions.ts';
import { BASE, created, RUNTIME, stateAfter } from './sessionFixtures.ts';

const commitOf = (turn: number): string => String(turn).repeat(40);
const SAVED = 'e'.repeat(40);
const review = { pendingFiles: 0, pending: 0, reviewed: 0 };
const stats = { files: 0, insertions: 0, deletions: 0 };
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false };

function turn(number: number): EventBody[] {
  const messageId = `msg_${String(number).padStart(26, '0')}`;
  return [
    { type: 'messageQueued', messageId, text: 'do', by: 'owner' },
    { type: 'turnStarted', turn: number, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
    { type: 'textFinished', itemId: `answer${number}:0`, text: { text: 'ok' } },
    { type: 'agentFinished', turn: number, outcome: 'completed', usage: NO_USAGE, durationMs: 5 },
    {
      type: 'turnFinished',
      turn: number,
      outcome: 'completed',
      checkpoint: commitOf(number),
      changed: true,
      stats,
      review,
    },
  ];
}
const three = [created, started, ...turn(1), ...turn(2), ...turn(3)];
const agent = createClaudeAgent({ path: '' });
const both = (number: number, stop = false): RestoreRequest => ({
  kind: 'restore',
  turn: number,
  code: true,
  conversation: true,
  stop,
});

/** The log with a restore that is done. */
function restored(log: readonly EventBody[], request: RestoreRequest, conversation?: string): EventBody[] {
  const begun = begin(log, request);
  const state = stateAfter(begun);
  const restore = state.restoring?.seq ?? 0;
  const code = { saved: SAVED, checkpoint: targetCommit(state), review, stats };
  return [
    ...begun,
    { type: 'restoreFinished', restore, code, conversation: conversation === undefined ? {} : { id: conversation } },
  ];
}
function begin(log: readonly EventBody[], request: RestoreRequest): EventBody[] {
  return [...log, ...startRestore(agent, stateAfter(log), RUNTIME, request).events];
}
const refusal = (log: readonly EventBody[], request: RestoreRequest, runtime = RUNTIME) => {
  try {
    startRestore(agent, stateAfter(log), runtime, request);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};
const aside = (state: SessionState) => [[...setAside(state, 'code')], [...setAside(state, 'conversation')]];
const undo = (restore?: number): RestoreRequest => ({ kind: 'undo', restore, stop: false });

describe('going back to a turn', () => {
  it('ends the agent, makes a sandbox where there is none, then restores, before any message goes out', () => {
    const log = begin(
      [...three, { type: 'messageQueued', messageId: `msg_${'9'.repeat(26)}`, text: 'next', by: 'owner' }],
      both(1),
    );
    const state = stateAfter(log);
    const ready = { ...RUNTIME, cloned: true, sandbox: { provider: 'local', id: 'snd' } };
    assert.equal(decideNext(state, ready, true).kind, 'endAgent');
    const ended = stateAfter([...log, { type: 'agentEnded', segment: 1, exitCode: null, expected: true, cause: 'x' }]);
    assert.equal(decideNext(ended, RUNTIME, false).kind, 'prepareSandbox');
    assert.equal(decideNext(ended, ready, false).kind, 'restore');
  });

  it('sets later turns aside, goes on from there, and forgets nothing', () => {
    const back = stateAfter(restored(three, both(1), 'c1'));
    assert.deepEqual(headsOf(back), { code: 1, conversation: 1 });
    assert.deepEqual(aside(back), [
      [2, 3],
      [2, 3],
    ]);
    assert.equal(currentCheckpoint(back), commitOf(1));
    const on = [...restored(three, both(1), 'c1'), ...turn(4)];
    assert.deepEqual(aside(stateAfter(on)), [
      [2, 3],
      [2, 3],
    ]);
    assert.equal(currentCheckpoint(stateAfter(on)), commitOf(4));
    const undone = stateAfter(restored(on, undo()));
    assert.deepEqual(aside(undone), [[4], [4]]);
    assert.equal(currentCheckpoint(undone), SAVED);
    assert.equal(restoreToUndo(undone), undefined);
    assert.deepEqual(
      undone.turns.map(({ number }) => number),
      [1, 2, 3, 4],
    );
  });

  it('keeps a conversation in which nothing came later, cuts one in which something did', () => {
    const plan = (log: readonly EventBody[], request: RestoreRequest) =>
      planConversation(stateAfter(begin(log, request)));
    const last = plan(three, both(3));
    assert.deepEqual(last, { kind: 'keep', id: undefined });
    const cut = plan(three, both(1));
    assert.ok(cut.kind === 'cut' && cut.from === undefined);
    assert.deepEqual([...cut.later.itemIds], ['answer2:0', 'answer3:0']);
    assert.equal(cut.later.messageIds.size, 2);
    assert.equal(plan(three, both(0)).kind, 'begin');
    assert.deepEqual(plan(three, both(1)), cut, 'a repeat makes the same one');
    // After turn 4 in another conversation, turn 3 is still the end of the first.
    const other = [...restored(three, both(1), 'c1'), ...turn(4)];
    assert.deepEqual(plan(other, both(3)), { kind: 'keep', id: undefined });
    const again = plan([...restored(other, both(3)), ...turn(5)], undo(stateAfter(other).restores?.[0]?.seq));
    assert.ok(again.kind === 'cut' && again.from === undefined, 'turn 5 came after what is taken back to');
    assert.deepEqual([...again.later.itemIds], ['answer5:0']);
  });

  it('is refused when it cannot be, with everything as it was', () => {
    const working = [...three, ...turn(4).slice(0, 3)];
    const unsaved = [...three, ...turn(4).slice(0, 5)];
    assert.equal(refusal(working, both(1)), 'conflict');
    assert.equal(refusal(working, both(1, true)), undefined);
    assert.equal(refusal(working, both(4, true)), 'not_found');
    assert.equal(refusal(unsaved, both(1)), 'conflict');
    assert.equal(refusal(unsaved, both(1, true)), undefined);
    assert.equal(refusal(begin(three, both(1)), both(2)), 'conflict');
    assert.equal(refusal([...three, { type: 'sessionArchived', archived: true }], both(1)), 'conflict');
    assert.equal(refusal([...three, { type: 'preparing', step: 'mirror' }], both(1)), 'conflict');
    assert.equal(
      refusal(three, { kind: 'restore', turn: 1, code: false, conversation: false, stop: false }),
      'invalid_params',
    );
    assert.equal(refusal(three, undo()), 'stale');
    assert.equal(refusal(three, undo(3)), 'stale');
    const failed = stateAfter([
      ...begin(three, both(1)),
      { type: 'restoreFailed', restore: three.length + 1, failure: { code: 'x', message: 'No.', retryable: false } },
    ]);
    assert.deepEqual([failed.restoring, currentCheckpoint(failed), aside(failed)], [undefined, commitOf(3), [[], []]]);
  });

  it('stops a turn first when that is wanted, and waits for its checkpoint', () => {
    const log = begin([...three, ...turn(4).slice(0, 3)], both(1, true));
    const state = stateAfter(log);
    assert.equal(state.phase.kind, 'stopping');
    assert.equal(decideNext(state, RUNTIME, true).kind, 'wait');
    const ended = stateAfter([...log, ...turn(4).slice(4, 5)]);
    assert.deepEqual(decideNext(ended, RUNTIME, true), { kind: 'checkpoint', turn: 4 });
  });

  it('begins a branch with the turns up to one, and nothing that is under way', () => {
    const log: EventBody[] = [
      ...three.slice(0, -1),
      { type: 'messageQueued', messageId: `msg_${'9'.repeat(26)}`, text: 'n', by: 'o' },
    ];
    const state = stateAfter([
      ...log,
      { type: 'sessionBranched', from: { sessionId: 'ses_x', title: 'Fix it' }, turn: 2, title: 'Other', by: 'owner' },
    ]);
    assert.deepEqual(
      state.turns.map(({ number }) => number),
      [1, 2],
    );
    assert.equal(state.phase.kind, 'idle');
    assert.equal(state.agent.running, false);
    assert.equal(currentCheckpoint(state), commitOf(2));
    assert.deepEqual(
      state.items.flatMap(item => (item.kind === 'message' || item.kind === 'text' ? [item.id] : [])).length,
      4,
    );
    assert.equal(state.base, BASE);
    assert.equal(decideNext(state, RUNTIME, false).kind, 'wait');
  });
});
