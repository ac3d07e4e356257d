import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { describeActivity } from '../../../protocol/activity.ts';
import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { decideNext, isUnderWay } from '../../../server/src/sessions/decisions.ts';
import { openPullOf, refuseBusy } from '../../../server/src/sessions/updateDecisions.ts';
import { agentFinished, BASE, created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const commit = (letter: string): string => letter.repeat(40);
const review = { pendingFiles: 1, pending: 1, reviewed: 2 };
const stats = { files: 1, insertions: 1, deletions: 0 };
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false };
const ended: EventBody = { type: 'agentEnded', segment: 1, exitCode: 0, expected: true, cause: 'ended' };
const turn: EventBody[] = [
  { type: 'messageQueued', messageId: MESSAGE, text: 'do', by: 'owner' },
  { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
  { type: 'messageTaken', messageId: MESSAGE },
  agentFinished,
  { type: 'turnFinished', turn: 1, outcome: 'completed', checkpoint: commit('1'), changed: true, stats, review },
];
const begun: EventBody = { type: 'baseUpdateStarted', commit: commit('b'), branch: 'main', by: 'owner' };
const rests = [created, started, ...turn, ended];
const prepared = { ...RUNTIME, sandbox: { provider: 'local', id: 'snd_1' }, cloned: true };
const updated = (update: number): EventBody => ({
  type: 'baseUpdated',
  update,
  base: commit('b'),
  accepted: commit('c'),
  checkpoint: commit('d'),
  proposed: commit('e'),
  stats,
  review,
});

describe('an update from the base branch, as the log has it', () => {
  it('ends the agent, prepares a sandbox where there is none, and is taken up again', () => {
    const state = stateAfter([...rests, begun]);
    assert.deepEqual(decideNext(stateAfter([created, started, ...turn, begun]), prepared, true), {
      kind: 'endAgent',
      segment: 1,
    });
    assert.deepEqual(decideNext(state, RUNTIME, false), { kind: 'prepareSandbox' });
    assert.deepEqual(decideNext(state, prepared, false), { kind: 'updateBase' });
    assert.equal(describeActivity(state).label, 'Updating from main');
    assert.ok(isUnderWay({ summary: summarize(state), runtime: JSON.stringify(prepared) }));
    const archived = stateAfter([...rests, begun, { type: 'sessionArchived', archived: true }]);
    assert.deepEqual(decideNext(archived, prepared, false), { kind: 'wait' });
  });

  it('moves base, both trees and the files at once, and remembers where the session started', () => {
    const seq = rests.length + 1;
    const state = stateAfter([...rests, begun, updated(seq)]);
    assert.deepEqual(
      [state.base, state.startedFrom, state.accepted, state.proposed, currentCheckpoint(state), state.updating],
      [commit('b'), BASE, commit('c'), commit('e'), commit('d'), undefined],
    );
    assert.equal(state.review.reviewed, 2);
    const again = stateAfter([...rests, begun, updated(seq), begun, updated(seq + 2)]);
    assert.equal(again.startedFrom, BASE);
    assert.deepEqual(decideNext(state, prepared, false), { kind: 'wait' });
    assert.ok(!isUnderWay({ summary: summarize(state), runtime: JSON.stringify(prepared) }));
  });

  it('leaves everything as it was when it fails, and does not take another one’s end for its own', () => {
    const seq = rests.length + 1;
    const failure = { code: 'conflict', message: 'No.', retryable: false };
    const failed = stateAfter([...rests, begun, { type: 'baseUpdateFailed', update: seq, failure }]);
    assert.deepEqual([failed.base, failed.startedFrom, failed.updating], [BASE, undefined, undefined]);
    assert.equal(failed.items.at(-1)?.kind, 'notice');
    const other = stateAfter([...rests, begun, updated(seq + 7)]);
    assert.deepEqual([other.base, other.updating?.seq], [BASE, seq]);
  });

  it('is refused while the session does something else', () => {
    const why = (events: EventBody[], runtime = RUNTIME): unknown => {
      try {
        refuseBusy(stateAfter(events), runtime);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : error;
      }
    };
    assert.equal(why(rests), undefined);
    assert.equal(why([created, started, ...turn]), undefined, 'an agent that waits');
    assert.equal(why([created, started, ...turn.slice(0, 3)]), 'The agent is at work.');
    const queued: EventBody = { type: 'messageQueued', messageId: MESSAGE.replace('0', '1'), text: 'do', by: 'owner' };
    assert.equal(why([...rests, queued]), 'The agent is at work.');
    assert.match(String(why([...rests, { type: 'sessionArchived', archived: true }])), /archived/);
    assert.match(String(why([...rests, begun])), /being exchanged/);
    const moving: EventBody = { type: 'moveStarted', provider: 'docker', isolation: 'container', by: 'owner' };
    assert.match(String(why([...rests, moving])), /being exchanged/);
    const failure = { code: 'agent_failed', message: 'It ended.', retryable: true };
    assert.match(String(why([...rests, { type: 'sessionBlocked', failure }])), /cut off/);
    const deleting = { id: 'x', at: 0, force: false, wasArchived: false, call: { key: 'k', paramsHash: 'h' } };
    assert.match(String(why(rests, { ...RUNTIME, deleting })), /deleted/);
  });

  it('needs an open pull request', () => {
    const pullRequest = {
      forge: 'github',
      number: 7,
      url: 'https://github.com/o/r/pull/7',
      branch: 'work',
      baseBranch: 'main',
      headCommit: commit('1'),
      draft: false,
      state: 'open',
    } as const;
    assert.throws(() => openPullOf({}), { code: 'not_found' });
    assert.throws(() => openPullOf({ pullRequest: { ...pullRequest, state: 'merged' } }), /is merged/);
    assert.equal(openPullOf({ pullRequest }), pullRequest);
  });
});
