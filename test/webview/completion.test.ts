import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.ts';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage, type WebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { summarize } from '../../protocol/summarize.ts';

const PATHS = ['src/form.ts', 'src/login/form.ts', 'docs/<img src=x onerror=alert(1)>.md'];

describe('mentions and commands in the composer', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();
  let log: SessionLog;
  let chat: WebviewPage;

  beforeEach(async () => {
    log = new SessionLog();
    log.ready();
    log.add({ type: 'commandsFound', commands: ['compact', 'context', 'review'] });
    chat = await openWebviewPage(browser(), server().url, {
      answer: (method, { query }) => {
        switch (method) {
          case 'findPaths':
            return { paths: PATHS.filter(path => path.includes(String(query))) };
          case 'editorMentions':
            return 'selection'.startsWith(String(query))
              ? {
                  mentions: [
                    { label: '@selection', detail: 'a.ts lines 1 to 2', insert: 'a.ts lines 1 to 2:\n```\nx\n```\n' },
                  ],
                }
              : { mentions: [] };
          default:
            return {};
        }
      },
    });
    await chat.tell(
      { type: 'connection', state: 'connected' },
      { type: 'open', sessionId: log.id, state: log.state, live: [] },
    );
  });
  afterEach(async () => {
    assert.deepEqual(chat.problems, []);
    await chat.close();
  });

  const field = () => chat.page.getByLabel('Message to the agent');
  const options = () => chat.page.locator('.completion').getByRole('option').allInnerTexts();
  const value = () => field().inputValue();

  it('completes a file by keyboard alone, and a screen reader hears which', async () => {
    await field().pressSequentially('Look at @form');
    await chat.page.getByRole('listbox', { name: 'Mentions' }).waitFor();
    await eventually(async () => assert.equal((await options()).length, 2));
    const active = (): Promise<string | null | undefined> =>
      chat.page.evaluate(() => {
        const id = document.activeElement?.getAttribute('aria-activedescendant') ?? '';
        return document.getElementById(id)?.textContent;
      });
    assert.equal(await active(), 'form.tssrc');
    await field().press('ArrowDown');
    await eventually(async () => assert.equal(await active(), 'form.tssrc/login'));
    await chat.page.getByText('2 suggestions').waitFor({ state: 'attached' });
    await field().press('Enter');
    assert.equal(await value(), 'Look at @src/login/form.ts ');
    assert.equal(await chat.page.getByRole('listbox').count(), 0);
    await field().pressSequentially('please');
    await field().press('Enter');
    await eventually(() => assert.equal(chat.asked('send')[0]?.['text'], 'Look at @src/login/form.ts please'));
  });

  it('closes with Escape and stays closed for that word; a name of a file is text and nothing else', async () => {
    await field().pressSequentially('@doc');
    await chat.page.getByRole('option', { name: '<img' }).waitFor();
    await field().press('Escape');
    await field().pressSequentially('s');
    assert.equal(await chat.page.getByRole('listbox').count(), 0);
    await field().pressSequentially(' @sel');
    await chat.page.getByRole('option', { name: '@selection' }).click();
    assert.match(await value(), /^@docs a\.ts lines 1 to 2:\n```\nx/);
    assert.ok(await field().evaluate(node => node === document.activeElement));
  });

  it('offers the commands of the agent where the message begins, and Tab takes one', async () => {
    await field().pressSequentially('/co');
    await chat.page.getByRole('listbox', { name: 'Commands' }).waitFor();
    assert.deepEqual(await options(), ['/compact', '/context']);
    await field().press('Tab');
    assert.equal(await value(), '/compact ');
    await field().fill('not /co');
    assert.equal(await chat.page.getByRole('listbox').count(), 0);
  });

  it('puts what another session did into the message', async () => {
    const other = new SessionLog();
    await chat.tell({
      type: 'sessions',
      summaries: [{ ...summarize(other.state), title: 'Fix login' }],
    });
    await field().pressSequentially('As in @fix');
    await chat.page.getByRole('option', { name: '@Fix login' }).waitFor();
  });
});
