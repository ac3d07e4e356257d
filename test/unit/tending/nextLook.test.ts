import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { PullRequest } from '../../../protocol/events.ts';
import type { PullRequestStatus } from '../../../protocol/pullRequestStatus.ts';
import { pullRequestNeeds, pullRequestText } from '../../../protocol/pullRequestText.ts';
import { waitUntilNextLook, withNews } from '../../../server/src/tending/nextLook.ts';
import { toldOf } from '../../../server/src/tending/told.ts';

const status: PullRequestStatus = {
  checks: { state: 'passed', failed: [], pending: [] },
  review: 'none',
  unanswered: 0,
  conflicts: false,
  behind: 0,
};
const pull: PullRequest = {
  forge: 'github',
  number: 7,
  url: 'https://github.com/acme/app/pull/7',
  branch: 'sandpiper/x',
  baseBranch: 'main',
  headCommit: 'a'.repeat(40),
  draft: false,
  state: 'open',
  status,
};

describe('when a pull request is looked at again', () => {
  const wait = (more: Partial<PullRequest>, failures = 0, noToken = false, retryAfterMs?: number) =>
    waitUntilNextLook({ ...pull, ...more }, { baseMs: 60_000, failures, noToken, retryAfterMs }) / 60_000;

  it('is soon while something is under way, later when all is calm, and seldom when it is closed', () => {
    const running = { ...status, checks: { ...status.checks, state: 'pending' as const } };
    const { conflicts: _unknown, ...notKnown } = status;
    assert.deepEqual([wait({ status: running }), wait({ status: notKnown }), wait({})], [1, 1, 5]);
    assert.equal(wait({ state: 'closed' }), 60);
    assert.equal(wait({}, 0, true), 30);
  });

  it('is later with every failure, at most an hour, and never before the forge wants', () => {
    assert.deepEqual([wait({}, 1), wait({}, 2), wait({}, 50)], [10, 20, 60]);
    assert.equal(wait({}, 50, false, 5 * 3600_000), 300);
  });
});

describe('news of a pull request', () => {
  const news = (change: Partial<PullRequestStatus>, more: Partial<PullRequest> = {}) =>
    withNews(pull, { state: 'open', draft: false, baseBranch: 'main', status: { ...status, ...change }, ...more });

  it('is what somebody may act on', () => {
    assert.equal(news({}), undefined);
    assert.equal(news({ review: 'approved' })?.status?.review, 'approved');
    assert.equal(news({ conflicts: true })?.status?.conflicts, true);
    assert.equal(news({}, { draft: true })?.draft, true);
    assert.equal(withNews(pull, { state: 'merged', draft: false, baseBranch: 'main' })?.status, undefined);
  });

  it('is that it fell behind its base, and not by how much', () => {
    const behind = news({ behind: 1 });
    assert.equal(behind?.status?.behind, 1);
    assert.equal(withNews(behind, { ...behind, status: { ...status, behind: 9 } }), undefined);
  });

  it('reads as one line', () => {
    assert.equal(pullRequestText(pull), 'open, checks passed');
    assert.equal(pullRequestText({ ...pull, state: 'merged' }), 'merged');
    assert.deepEqual(pullRequestNeeds({ ...pull, state: 'closed', status: { ...status, conflicts: true } }), []);
    const failed = { ...status, checks: { state: 'failed' as const, failed: ['a', 'b'], pending: [] }, unanswered: 2 };
    assert.equal(
      pullRequestText({ ...pull, draft: true, status: failed }),
      'draft, checks failed: a, b, 2 threads open',
    );
  });
});

describe('what a webhook is about', () => {
  const repository = { html_url: 'https://github.com/acme/app' };
  const repositoryUrl = repository.html_url;

  it('is a pull request, a commit or all of a repository', () => {
    assert.deepEqual(toldOf({ repository, pull_request: { number: 7 } }), { repositoryUrl, number: 7 });
    assert.deepEqual(toldOf({ repository, issue: { number: 7, pull_request: {} } }), { repositoryUrl, number: 7 });
    assert.deepEqual(toldOf({ repository, check_suite: { head_sha: 'a' } }), { repositoryUrl, commit: 'a' });
    assert.deepEqual(toldOf({ repository, sha: 'a' }), { repositoryUrl, commit: 'a' });
    assert.deepEqual(toldOf({ repository, ref: 'refs/heads/main' }), { repositoryUrl });
    assert.equal(toldOf({ repository, issue: { number: 7 } }), undefined);
    assert.equal(toldOf({ repository, ref: 'refs/tags/v1' }), undefined);
    assert.equal(toldOf({ pull_request: { number: 7 } }), undefined);
  });
});
