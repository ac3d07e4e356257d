import assert from 'node:assert/strict';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';

/** A chunk can be gone: the relay was updated under an open page, or it cannot be reached. */
describe('parts of the chat page that are loaded late', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();

  function asking(): SessionLog {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    log.add(
      { type: 'textFinished', itemId: 'x', text: { text: 'I will run **it**.' } },
      {
        type: 'approvalAsked',
        approvalId: 'a',
        kind: 'tool',
        name: 'Bash',
        title: 'rm -r build',
        input: { text: '{"command":"rm -r build"}' },
        canAlwaysAllow: false,
      },
    );
    return log;
  }

  it('says what is missing and loads it when asked again; text stands there as it is meanwhile', async () => {
    const log = asking();
    const chat = await openWebviewPage(browser(), server().url);
    try {
      await chat.page.route(/seldom-|streamingMarkdown-/, route => route.abort());
      await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
      await chat.page.getByText('The question of the agent could not be loaded').waitFor();
      assert.equal(await chat.page.locator('.answer .markdown').innerText(), 'I will run **it**.');
      await chat.page.unroute(/seldom-|streamingMarkdown-/);
      await chat.page.getByRole('button', { name: 'Try Again' }).click();
      await chat.page.getByRole('button', { name: 'Allow Once' }).waitFor();
      assert.ok(
        chat.problems.every(problem => /ERR_FAILED/.test(problem)),
        chat.problems.join('\n'),
      );
    } finally {
      await chat.close();
    }
  });

  it('draws what changed while its code was on the way', async () => {
    const log = asking();
    const chat = await openWebviewPage(browser(), server().url);
    try {
      const held: (() => void)[] = [];
      await chat.page.route(/streamingMarkdown-/, async route => {
        await new Promise<void>(go => held.push(go));
        await route.continue();
      });
      const delta = { type: 'delta', sessionId: log.id, itemId: 'y', kind: 'text' } as const;
      await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
      await chat.tell({ ...delta, offset: 0, text: 'It is **al' });
      await chat.page.locator('.answer.live', { hasText: 'It is **al' }).waitFor();
      await chat.tell({ ...delta, offset: 10, text: 'most** done.' });
      await chat.page.locator('.answer.live', { hasText: 'It is **almost** done.' }).waitFor();
      held.forEach(go => go());
      await chat.page.locator('.answer.live strong', { hasText: 'almost' }).waitFor();
      assert.deepEqual(chat.problems, []);
    } finally {
      await chat.close();
    }
  });
});
