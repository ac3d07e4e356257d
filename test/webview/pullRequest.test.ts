import assert from 'node:assert/strict';
import type { PullRequest } from '../../protocol/events.ts';
import { eventually } from '../support/eventually.ts';
import { commit, SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { screenshot } from '../support/workbench.ts';

const HOSTILE = '<img src=x onerror=alert(1)>';
const PULL: PullRequest = {
  forge: 'github',
  number: 7,
  url: 'https://github.com/acme/app/pull/7',
  branch: 'sandpiper/fix',
  baseBranch: 'main',
  headCommit: commit('b'),
  draft: true,
  state: 'open',
};

describe('the pull request in the chat', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();

  it('says how it stands and what the agent can do about it, and says so again when that changes', async () => {
    const log = new SessionLog();
    log.turn(1, 'Go');
    log.finish(1);
    log.add({ type: 'pullRequestOpened', pullRequest: PULL, created: true, by: 'owner' });
    const chat = await openWebviewPage(browser(), server().url);
    try {
      await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
      const card = chat.page.getByRole('group', { name: 'Pull request' });
      await card.getByText('Draft').waitFor();
      assert.equal(await card.getByRole('button', { name: 'Fix Checks' }).count(), 0);
      const status: PullRequest['status'] = {
        checks: { state: 'failed', failed: ['test', HOSTILE], pending: [] },
        review: 'changesRequested',
        unanswered: 2,
        conflicts: false,
        behind: 3,
      };
      const changed = log.add({ type: 'pullRequestChanged', pullRequest: { ...PULL, status } });
      await chat.tell({ type: 'events', sessionId: log.id, events: changed });
      await card.getByText(`checks failed: test, ${HOSTILE}`).waitFor();
      for (const text of ['changes requested', '2 threads open', '3 behind its base']) {
        await card.getByText(text).waitFor();
      }
      await screenshot(chat.page.locator('body'), 'pull-request-card');
      await card.getByRole('button', { name: 'Fix Checks' }).click();
      await card.locator('button:enabled', { hasText: 'Address Review' }).click();
      await card.locator('button:enabled', { hasText: 'Update from Base' }).click();
      await eventually(() =>
        assert.deepEqual(chat.asked('tendPullRequest'), [
          { sessionId: log.id, deed: 'fixChecks' },
          { sessionId: log.id, deed: 'addressReview' },
          { sessionId: log.id, deed: 'updateFromBase' },
        ]),
      );
      const merged = log.add({ type: 'pullRequestChanged', pullRequest: { ...PULL, draft: false, state: 'merged' } });
      await chat.tell({ type: 'events', sessionId: log.id, events: merged });
      await card.getByText('Merged').waitFor();
      assert.equal(await card.getByRole('button', { name: 'Fix Checks' }).count(), 0);
      await card.getByRole('button', { name: 'Pull Request #7' }).click();
      await eventually(() => assert.deepEqual(chat.asked('openExternal'), [{ url: PULL.url }]));
      assert.deepEqual(chat.problems, []);
    } finally {
      await chat.close();
    }
  });
});
