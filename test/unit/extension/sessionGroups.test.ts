import assert from 'node:assert/strict';
import {
  describeSession,
  formatCost,
  groupOf,
  groupSessions,
  sessionContext,
  sessionTooltip,
} from '../../../extension/src/sessions/sessionGroups.ts';
import { summaryWith } from './summaries.ts';

const usage = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 40, costUsd: 0.423 };

describe('the groups of the list', () => {
  it('puts each session where a person looks for it', () => {
    assert.equal(groupOf(summaryWith()), 'done');
    assert.equal(groupOf(summaryWith({ pending: true })), 'ready');
    for (const phase of ['preparing', 'working', 'stopping', 'checkpointing'] as const) {
      assert.equal(groupOf(summaryWith({ phase, pending: true })), 'running');
    }
    assert.equal(groupOf(summaryWith({ phase: 'working', needsYou: 1 })), 'needsYou');
    assert.equal(groupOf(summaryWith({ phase: 'blocked', needsYou: 1 })), 'needsYou');
    assert.equal(groupOf(summaryWith({ phase: 'blocked', needsYou: 1, archived: true })), 'archived');
  });

  it('orders groups by urgency and sessions by their last activity, without empty groups', () => {
    const groups = groupSessions([
      summaryWith({ id: 'old', updatedAt: 1 }),
      summaryWith({ id: 'new', updatedAt: 2 }),
      summaryWith({ id: 'asks', needsYou: 1, phase: 'working' }),
    ]);
    assert.deepEqual(
      groups.map(group => [group.label, group.sessions.map(session => session.id)]),
      [
        ['Needs You', ['asks']],
        ['Done', ['new', 'old']],
      ],
    );
  });

  it('describes a session by what it does, where, its cost and its size', () => {
    assert.equal(describeSession(summaryWith()), 'Idle · shop');
    const worked = summaryWith({
      activity: 'Ready to review',
      usage,
      stats: { files: 1, insertions: 3, deletions: 0 },
    });
    assert.equal(describeSession(worked), 'Ready to review · shop · $0.42 · 1 file');
    assert.equal(formatCost(0.004), '<$0.01');
    assert.match(sessionTooltip(worked), /Tokens: 80 in, 20 out, \$0\.42/);
  });

  it('says for menus what can be done', () => {
    const words = (patch: Parameters<typeof summaryWith>[0]) => sessionContext(summaryWith(patch)).split(' ');
    assert.deepEqual(words({}), ['session', 'done']);
    assert.deepEqual(words({ phase: 'working', needsYou: 1 }), ['session', 'needsYou', 'stoppable', 'asking']);
    assert.deepEqual(words({ phase: 'blocked', needsYou: 1 }), ['session', 'needsYou', 'blocked']);
    const stats = { files: 2, insertions: 1, deletions: 1 };
    assert.deepEqual(words({ pending: true, stats }), ['session', 'ready', 'reviewable', 'landable']);
    assert.deepEqual(words({ archived: true, stats }), ['session', 'archived']);
  });
});
