import assert from 'node:assert/strict';
import {
  describeSession,
  formatCost,
  sessionContext,
  sessionFacts,
} from '../../../extension/src/sessions/sessionGroups.ts';
import { groupOf, groupSessions } from '../../../protocol/sessionGroup.ts';
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
    assert.equal(describeSession(sampleSummary(), 0), 'Idle · shop (main)');
    const url = 'https://github.com/acme/app/issues/12';
    const told = sampleSummary({ origin: { forge: 'github', kind: 'issue', number: 12, url, by: 'alice' } });
    assert.equal(describeSession(told, 0), 'Idle · issue #12 · shop (main)');
    assert.equal(sessionFacts(told, 0).find(({ name }) => name === 'From')?.value, `issue #12 by alice: ${url}`);
    const worked = sampleSummary({
      activity: 'Ready to review',
      usage,
      stats: { files: 1, insertions: 3, deletions: 0 },
    });
    assert.equal(describeSession(worked, 0), 'Ready to review · shop (main) · $0.42 · 1 file');
    assert.equal(formatCost(0.004), '<$0.01');
    assert.deepEqual(
      sessionFacts(worked, 0).find(({ name }) => name === 'Cost'),
      { name: 'Cost', value: '$0.42 (80 tokens in, 20 out)' },
    );
  });

  it('puts what is pinned first, what needs a person before the rest, and leaves it there until it is archived', () => {
    const groups = groupSessions([
      sampleSummary({ id: 'new', updatedAt: 9 }),
      sampleSummary({ id: 'kept', pinned: true, updatedAt: 5 }),
      sampleSummary({ id: 'asks', pinned: true, needsYou: 1, phase: 'working', updatedAt: 2 }),
      sampleSummary({ id: 'away', pinned: true, archived: true }),
    ]);
    assert.deepEqual(
      groups.map(group => [group.label, group.sessions.map(session => session.id)]),
      [
        ['Pinned', ['asks', 'kept']],
        ['Done', ['new']],
        ['Archived', ['away']],
      ],
    );
    assert.ok(
      sessionContext(sampleSummary({ pinned: true }))
        .split(' ')
        .includes('pinned'),
    );
  });

  it('says how old a session is, but not of one that says how long it works', () => {
    const idle = sampleSummary({ doing: { kind: 'idle', label: 'Idle', since: 0 }, tags: ['ui'] });
    assert.equal(describeSession(idle, 30_000), 'Idle · shop (main) · ui');
    assert.equal(describeSession(idle, 3 * 3_600_000), 'Idle · shop (main) · 3 h · ui');
    assert.equal(describeSession(idle, 72 * 3_600_000), 'Idle · shop (main) · 3 days · ui');
  });

  it('says for how long, in the words of every other surface', () => {
    const running = sampleSummary({ doing: { kind: 'tool', label: 'npm test', since: 1000 } });
    assert.equal(describeSession(running, 193_000), 'npm test 3:12 · shop (main)');
    const stuck = sampleSummary({ doing: { kind: 'stuck', label: 'Stuck', since: 0 } });
    assert.equal(describeSession(stuck, 250_000), 'Stuck: silent for 4 min · shop (main)');
  });

  it('says for menus what can be done', () => {
    const words = (patch: Parameters<typeof sampleSummary>[0]) => sessionContext(sampleSummary(patch)).split(' ');
    assert.deepEqual(words({}), ['session', 'done', 'unpinned']);
    const pullRequest = {
      forge: 'github',
      number: 7,
      url: 'https://github.com/o/r/pull/7',
      branch: 'work',
      baseBranch: 'main',
      headCommit: 'a'.repeat(40),
      draft: true,
      state: 'open',
    } as const;
    assert.deepEqual(words({ pullRequest }), ['session', 'done', 'landed', 'tendable', 'unpinned']);
    assert.ok(!words({ pullRequest: { ...pullRequest, state: 'merged' } }).includes('tendable'));
    assert.ok(!words({ pullRequest, archived: true }).includes('tendable'));
    assert.deepEqual(words({ phase: 'working', needsYou: 1 }), [
      'session',
      'needsYou',
      'stoppable',
      'asking',
      'unpinned',
    ]);
    assert.deepEqual(words({ phase: 'blocked', needsYou: 1 }), ['session', 'needsYou', 'recoverable', 'unpinned']);
    const doing = { kind: 'stuck', label: 'Stuck', since: 0 } as const;
    assert.deepEqual(words({ phase: 'working', needsYou: 1, doing }), [
      'session',
      'needsYou',
      'stoppable',
      'recoverable',
      'unpinned',
    ]);
    const stats = { files: 2, insertions: 1, deletions: 1 };
    assert.deepEqual(words({ pending: true, stats }), ['session', 'ready', 'reviewable', 'landable', 'unpinned']);
    assert.deepEqual(words({ archived: true, stats }), ['session', 'archived']);
  });
});
