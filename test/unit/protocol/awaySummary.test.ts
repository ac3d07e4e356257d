import assert from 'node:assert/strict';
import { awaySummary, awayText, isEmptyAway } from '../../../protocol/awaySummary.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';

const COMMIT = 'a'.repeat(40);

/** A session whose events come one a second. */
function session(...bodies: EventBody[]): SessionState {
  const created: EventBody = {
    type: 'sessionCreated',
    title: 'Fix the login',
    repository: { id: 'r', name: 'shop', source: '/shop' },
    base: COMMIT,
    includesUncommitted: false,
    provider: 'local',
    isolation: 'process',
    agent: 'claude',
    permissionMode: 'ask',
  };
  const events = [created, ...bodies].map((body, index) => ({ seq: index + 1, at: (index + 1) * 1000, body }));
  const state = reduceEvents(undefined, events, 'ses_0');
  assert.ok(state);
  return state;
}

function turn(outcome: 'completed' | 'failed', costUsd: number): EventBody[] {
  const failure = { code: 'agent_failed', message: 'The model refused.', retryable: true };
  return [
    { type: 'turnStarted', turn: 1, messageIds: [] },
    {
      type: 'agentFinished',
      turn: 1,
      outcome,
      ...(outcome === 'failed' ? { failure } : {}),
      usage: { ...NO_USAGE, costUsd },
      durationMs: 1,
    },
    {
      type: 'turnFinished',
      turn: 1,
      outcome,
      checkpoint: COMMIT,
      changed: true,
      stats: { files: 2, insertions: 1, deletions: 0 },
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
    },
  ];
}

const ask: EventBody = {
  type: 'approvalAsked',
  approvalId: 'one',
  kind: 'tool',
  name: 'Bash',
  title: 'npm test',
  input: { text: '{}' },
  canAlwaysAllow: false,
};

describe('what happened while nobody was here', () => {
  it('is what finished, with its cost, and nothing that was over before', () => {
    const state = session(...turn('completed', 0.4));
    const away = awaySummary([state], 2000, 9000);
    assert.deepEqual(
      away.finished.map(({ turns, files, costUsd }) => [turns, files, costUsd]),
      [[1, 2, 0.4]],
    );
    assert.equal(awayText(away), '1 finished, $0.40 spent');
    assert.ok(isEmptyAway(awaySummary([state], 5000, 9000)));
    assert.equal(awaySummary([state], 5000, 9000).costUsd, 0);
  });

  it('is what waits, however long it has', () => {
    const state = session({ type: 'turnStarted', turn: 1, messageIds: [] }, ask);
    const { waiting } = awaySummary([state], 8000, 9000);
    assert.deepEqual(waiting[0]?.asks, ['Bash: npm test']);
  });

  it('is what failed, with why', () => {
    const failed = awaySummary([session(...turn('failed', 0.001))], 1000, 9000);
    assert.equal(failed.failed[0]?.message, 'The model refused.');
    assert.equal(awayText(failed), '1 failed, <$0.01 spent');
    const failure = { code: 'git_failed', message: 'No such branch.', retryable: true };
    const blocked = session({ type: 'sessionBlocked', failure });
    assert.equal(awaySummary([blocked], 1000, 9000).failed[0]?.message, 'No such branch.');
    assert.deepEqual(awaySummary([blocked], 5000, 9000).failed, [], 'it was so before');
  });

  it('counts the money of what was put away, and does not name it', () => {
    const away = awaySummary([session(...turn('completed', 1), { type: 'sessionArchived', archived: true })], 0, 9000);
    assert.ok(isEmptyAway(away));
    assert.equal(away.costUsd, 1);
  });
});
