import assert from 'node:assert/strict';
import {
  GITHUB_LIMITS,
  readDefaultBranch,
  readPullRequest,
  readPullRequests,
} from '../../../server/src/forges/github/githubPullRequest.ts';
import { fitTexts, sameTexts } from '../../../server/src/forges/pullRequestTexts.ts';

const end = (ref: string, fullName: string | undefined) => ({ ref, repo: fullName && { full_name: fullName } });
const ANSWER = {
  number: 7,
  html_url: 'https://github.com/acme/app/pull/7',
  title: 'T',
  body: null,
  state: 'closed',
  draft: false,
  merged_at: '2026-01-01T00:00:00Z',
  head: end('work', 'acme/app'),
  base: end('main', 'acme/app'),
};

describe('githubPullRequest', () => {
  it('tells merged from closed, and a fork from the repository', () => {
    assert.equal(readPullRequest(ANSWER).state, 'merged');
    assert.equal(readPullRequest({ ...ANSWER, merged_at: null }).state, 'closed');
    assert.equal(readPullRequest(ANSWER).sameRepository, true);
    assert.equal(readPullRequest({ ...ANSWER, head: end('work', 'else/app') }).sameRepository, false);
    assert.equal(readPullRequest({ ...ANSWER, head: end('work', undefined) }).sameRepository, false);
  });

  it('refuses answers that are not what was asked for', () => {
    for (const wrong of [
      null,
      'text',
      [],
      {},
      { ...ANSWER, number: '7' },
      { ...ANSWER, head: null },
      { ...ANSWER, state: 'x' },
    ]) {
      assert.throws(() => readPullRequest(wrong), { code: 'forge_unreachable' });
    }
    assert.throws(() => readPullRequests({}), { code: 'forge_unreachable' });
    assert.throws(() => readDefaultBranch({ default_branch: 1 }), { code: 'forge_unreachable' });
  });

  it('fits texts to what GitHub takes, without halves of characters', () => {
    const long = { title: ` a\nb ${'\u{1f426}'.repeat(300)}`, body: '\u{1f426}'.repeat(40_000) };
    const { title, body } = fitTexts(long, GITHUB_LIMITS);
    assert(title.startsWith('a b ') && title.length <= 256 && title.isWellFormed());
    assert(body.length <= 65_536 && body.isWellFormed() && body.endsWith('cut.)'));
    assert.deepEqual(fitTexts({ title: 'a', body: 'b\n' }, GITHUB_LIMITS), { title: 'a', body: 'b\n' });
  });

  it('sees through line ends and the space around', () => {
    assert(sameTexts({ title: 'a', body: 'b\r\nc' }, { title: 'a ', body: 'b\nc\n' }));
    assert(!sameTexts({ title: 'a', body: 'b' }, { title: 'a', body: 'c' }));
  });
});
