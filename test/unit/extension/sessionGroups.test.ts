import assert from 'node:assert/strict';
import {
  describeSession,
  formatCost,
  groupOf,
  groupSessions,
  sessionContext,
  sessionTooltip,
} from '../../../extension/src/sessions/sessionGroups.ts';
import { sampleSummary } from '../../support/sampleSummary.ts';

const usage = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 40, costUsd: 0.423 };

describe('the groups of the list', () => {
  it('puts each session where a person looks for it', () => {
    assert.equal(groupOf(sampleSummary()), 'done');
    assert.equal(groupOf(sampleSummary({ pending: true })), 'ready');
    for (const phase of ['preparing', 'working', 'stopping', 'checkpointing'] as const) {
      assert.equal(groupOf(sampleSummary({ phase, pending: true })), 'running');
    }
    assert.equal(groupOf(sampleSummary({ phase: 'working', needsYou: 1 })), 'needsYou');
    assert.equal(groupOf(sampleSummary({ phase: 'blocked', needsYou: 1 })), 'needsYou');
    assert.equal(groupOf(sampleSummary({ phase: 'blocked', needsYou: 1, archived: true })), 'archived');
  });

  it('orders groups by urgency and sessions by their last activity, without empty groups', () => {
    const groups = groupSessions([
      sampleSummary({ id: 'old', updatedAt: 1 }),
      sampleSummary({ id: 'new', updatedAt: 2 }),
      sampleSummary({ id: 'asks', needsYou: 1, phase: 'working' }),
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
    assert.equal(describeSession(sampleSummary(), 0), 'Idle · shop');
    const worked = sampleSummary({
      activity: 'Ready to review',
      usage,
      stats: { files: 1, insertions: 3, deletions: 0 },
    });
    assert.equal(describeSession(worked, 0), 'Ready to review · shop · $0.42 · 1 file');
    assert.equal(formatCost(0.004), '<$0.01');
    assert.match(sessionTooltip(worked, 0), /Tokens: 80 in, 20 out, \$0\.42/);
  });

  it('says for how long, in the words of every other surface', () => {
    const running = sampleSummary({ doing: { kind: 'tool', label: 'npm test', since: 1000 } });
    assert.equal(describeSession(running, 193_000), 'npm test 3:12 · shop');
    const stuck = sampleSummary({ doing: { kind: 'stuck', label: 'Stuck', since: 0 } });
    assert.equal(describeSession(stuck, 250_000), 'Stuck: silent for 4 min · shop');
  });

  it('says for menus what can be done', () => {
    const words = (patch: Parameters<typeof sampleSummary>[0]) => sessionContext(sampleSummary(patch)).split(' ');
    assert.deepEqual(words({}), ['session', 'done']);
    assert.deepEqual(words({ phase: 'working', needsYou: 1 }), ['session', 'needsYou', 'stoppable', 'asking']);
    assert.deepEqual(words({ phase: 'blocked', needsYou: 1 }), ['session', 'needsYou', 'recoverable']);
    const doing = { kind: 'stuck', label: 'Stuck', since: 0 } as const;
    assert.deepEqual(words({ phase: 'working', needsYou: 1, doing }), [
      'session',
      'needsYou',
      'stoppable',
      'recoverable',
    ]);
    const stats = { files: 2, insertions: 1, deletions: 1 };
    assert.deepEqual(words({ pending: true, stats }), ['session', 'ready', 'reviewable', 'landable']);
    assert.deepEqual(words({ archived: true, stats }), ['session', 'archived']);
  });
});
