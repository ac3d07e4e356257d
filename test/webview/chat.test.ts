import assert from 'node:assert/strict';
import type { EventBody } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { eventually } from '../support/eventually.ts';
import { showNewSession } from '../support/newSessionForm.ts';
import { SessionLog } from '../support/sessionLog.ts';
import type { WebviewPage, WebviewPageOptions } from '../support/webviewPage.ts';
import { useChatPages } from '../support/webviewSuite.ts';

describe('chat page', function () {
  this.timeout(60_000);
  const { openChat, openSession } = useChatPages();
  let log: SessionLog;

  beforeEach(() => {
    log = new SessionLog();
    log.ready();
  });

  const openLog = (options?: WebviewPageOptions): Promise<WebviewPage> => openSession(log, options);

  async function add(chat: WebviewPage, ...bodies: EventBody[]): Promise<void> {
    await chat.tell({ type: 'events', sessionId: log.id, events: log.add(...bodies) });
  }

  it('asks for the session that it showed before, and keeps its draft', async () => {
    const chat = await openChat({ saved: { sessionId: log.id, drafts: { [log.id]: 'half a thou' } } });
    assert.deepEqual(chat.said[0], { type: 'ready', sessionId: log.id });
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    const field = chat.page.getByLabel('Message to the agent');
    assert.equal(await field.inputValue(), 'half a thou');
    await field.press('End');
    await field.pressSequentially('ght');
    await chat.page.waitForFunction(
      id => Reflect.get(window, 'sandpiperSaved')?.drafts?.[id] === 'half a thought',
      log.id,
    );
  });

  it('shows where a message came from that nobody wrote here, and opens it when the reader agrees', async () => {
    const url = 'https://github.com/acme/app/issues/12';
    const origin = { forge: 'github', kind: 'issue' as const, number: 12, url, by: '<b>alice</b>' };
    const text = Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n');
    const chat = await openLog();
    await add(chat, { type: 'messageQueued', messageId: newId('msg'), text, by: 'owner', origin });
    const link = chat.page.getByRole('link', { name: 'From the issue #12 by <b>alice</b>' });
    await link.waitFor();
    assert.equal(await chat.page.getByText('line 39').count(), 0);
    await link.click();
    await chat.page.getByText('Open github.com?').waitFor();
    assert.equal(chat.asked('openExternal').length, 0);
    await chat.page.getByRole('button', { name: 'Open Link' }).click();
    await eventually(() => assert.deepEqual(chat.asked('openExternal')[0]?.['url'], url));
  });

  it('shows a message as sending, queued, sent and taken up', async () => {
    const messageId = newId('msg');
    const chat = await openLog();
    await chat.page.getByLabel('Message to the agent').fill('first line');
    await chat.page.keyboard.press('Shift+Enter');
    await chat.page.keyboard.type('second');
    await chat.page.keyboard.press('Enter');
    await eventually(() => assert.equal(chat.asked('send').length, 1));
    const { key, ...sent } = chat.asked('send')[0] ?? {};
    assert.deepEqual(sent, { sessionId: log.id, text: 'first line\nsecond' });
    await chat.tell({
      type: 'outbox',
      entries: [
        {
          key: String(key),
          relay: 'r',
          sessionId: log.id,
          typedAt: 1,
          content: { kind: 'message', text: 'first line\nsecond' },
          status: { kind: 'accepted', seq: log.state.seq + 1 },
        },
      ],
    });
    await chat.page.getByText('Sending').waitFor();
    await add(chat, { type: 'messageQueued', messageId, text: 'first line\nsecond', by: 'you' });
    assert.equal(await chat.page.locator('.message').count(), 1);
    await chat.page.locator('.delivery', { hasText: 'Queued' }).waitFor();
    await add(chat, { type: 'messageSent', messageId });
    await chat.page.locator('.delivery', { hasText: 'Sent' }).waitFor();
    await add(chat, { type: 'turnStarted', turn: 1, messageIds: [messageId] }, { type: 'messageTaken', messageId });
    await chat.page.locator('.delivery', { hasText: 'Taken up' }).waitFor();
  });

  it('keeps a message that could not be sent until it is sent again or taken back', async () => {
    let fails = true;
    const chat = await openLog({
      answer: () => {
        if (fails) {
          throw new Error('The relay is full.');
        }
        return { messageId: newId('msg') };
      },
    });
    const field = chat.page.getByLabel('Message to the agent');
    await field.fill('do it');
    await field.press('Enter');
    await chat.page.getByText('The relay is full.').waitFor();
    await chat.page.getByRole('button', { name: 'Edit' }).click();
    assert.equal(await field.inputValue(), 'do it');
    await field.press('Enter');
    await chat.page.getByText('The relay is full.').waitFor();
    fails = false;
    await chat.page.getByRole('button', { name: 'Send Again' }).click();
    await eventually(() => assert.equal(chat.asked('send').length, 3));
  });

  it('says that a follow-up is queued, and stops the turn', async () => {
    log.turn(1, 'Go');
    const chat = await openLog();
    await chat.page.getByLabel('Message to the agent').fill('and then');
    await chat.page.getByText('Queued until this turn ends').waitFor();
    await chat.page.getByRole('button', { name: 'Stop' }).click();
    await eventually(() => assert.deepEqual(chat.asked('stop'), [{ sessionId: log.id }]));
    await add(chat, { type: 'stopRequested', by: 'you' });
    await chat.page.locator('[data-activity=stopping]').waitFor();
    assert.equal(await chat.page.getByRole('button', { name: 'Stopping' }).isDisabled(), true);
  });

  it('draws text once: the same nodes while it is written and after', async () => {
    log.turn(1, 'Go');
    const chat = await openLog();
    const text = '# Title\n\nFirst.\n\nSecond.\n\nThird.\n\n```ts\nconst a = 1;\n```\n';
    await chat.tell({
      type: 'delta',
      sessionId: log.id,
      itemId: 'x',
      kind: 'text',
      offset: 0,
      text: text.slice(0, 50),
    });
    await chat.page.locator('.answer .block', { hasText: 'First.' }).waitFor();
    await chat.page.evaluate(() => Reflect.set(window, 'firstBlock', document.querySelector('.answer .block')));
    await add(chat, { type: 'textFinished', itemId: 'x', text: { text } });
    const keyword = chat.page.locator('.hljs-keyword', { hasText: 'const' });
    const colours = await keyword.evaluate(word =>
      [word, word.closest('pre') ?? word].map(element => getComputedStyle(element).color),
    );
    assert.notEqual(colours[0], colours[1], 'the colours come with the highlighter');
    assert.equal(
      await chat.page.evaluate(() => Reflect.get(window, 'firstBlock') === document.querySelector('.answer .block')),
      true,
    );
    assert.equal(await chat.page.locator('.answer').count(), 1);
  });

  it('copies code, opens files, and shows all of a long output', async () => {
    log.turn(1, 'Go');
    const output = Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n');
    log.tool('t', 'Bash', 'ls', { command: 'ls' }, output);
    log.add({ type: 'textFinished', itemId: 'x', text: { text: 'See [a](src/a.ts:3)\n\n```sh\nnpm test\n```' } });
    const chat = await openLog();
    await chat.page.getByRole('button', { name: 'Copy code' }).click();
    await chat.page.locator('a', { hasText: 'a' }).click();
    await eventually(() => {
      assert.deepEqual(chat.asked('copy'), [{ text: 'npm test\n' }]);
      assert.deepEqual(chat.asked('openFile'), [{ sessionId: log.id, path: 'src/a.ts' }]);
    });
    await chat.page.locator('[data-tool=t] > summary').click();
    assert.equal(await chat.page.getByText('line 49').count(), 0);
    await chat.page.getByRole('button', { name: 'Show all 50 lines' }).click();
    await chat.page.getByText('line 49').waitFor();
  });

  it('fetches what stands outside the log, piece by piece', async () => {
    const whole = 'ä'.repeat(700);
    const bytes = Buffer.from(whole);
    log.turn(1, 'Go');
    log.add(
      { type: 'toolStarted', toolId: 't', name: 'Bash', title: 'x', input: { text: '{"command":"x"}' } },
      {
        type: 'toolFinished',
        toolId: 't',
        outcome: 'failed',
        output: { text: 'ää', blob: { hash: 'f'.repeat(64), bytes: bytes.length, mediaType: 'text/plain' } },
      },
    );
    const chat = await openLog({
      answer: (_method, params) => {
        const offset = Number(params['offset']);
        return { content: bytes.subarray(offset, offset + 501).toString('base64'), bytes: bytes.length };
      },
    });
    await chat.page.getByRole('button', { name: 'Load all (1.4 KB)' }).click();
    await chat.page.getByText(whole).waitFor();
    assert.equal(chat.asked('readBlob').length, 3);
  });

  it('follows the end only while the reader is there', async () => {
    log.turn(1, 'Go');
    for (let index = 0; index < 40; index++) {
      log.add({ type: 'textFinished', itemId: `t${index}`, text: { text: `Paragraph ${index}\n\nMore` } });
    }
    const chat = await openLog();
    const scroller = chat.page.locator('.scroller');
    const fromEnd = (): Promise<number> =>
      scroller.evaluate(view => view.scrollHeight - view.scrollTop - view.clientHeight);
    await eventually(async () => assert.ok((await fromEnd()) < 2));
    await add(chat, { type: 'textFinished', itemId: 'new1', text: { text: 'New one\n\n'.repeat(30) } });
    await eventually(async () => assert.ok((await fromEnd()) < 2));
    await scroller.hover();
    await chat.page.mouse.wheel(0, -600);
    await chat.page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    const top = await scroller.evaluate(view => view.scrollTop);
    await add(chat, { type: 'textFinished', itemId: 'new2', text: { text: 'New two\n\n'.repeat(30) } });
    await chat.page.getByText('New two').first().waitFor();
    assert.equal(await scroller.evaluate(view => view.scrollTop), top);
    await chat.page.getByRole('button', { name: 'Jump to latest' }).click();
    await eventually(async () => assert.ok((await fromEnd()) < 2));
  });

  it('opens, accepts and lands changes', async () => {
    log.turn(1, 'Go');
    log.finish(1);
    const chat = await openLog();
    for (const name of ['Open Changes', 'Accept All', 'Create Pull Request']) {
      await chat.page.getByRole('button', { name }).click();
    }
    await eventually(() =>
      assert.deepEqual(
        ['openChanges', 'acceptAll', 'createPullRequest'].map(method => chat.asked(method)),
        [[{ sessionId: log.id }], [{ sessionId: log.id }], [{ sessionId: log.id }]],
      ),
    );
  });

  it('says that the connection is lost and that nothing else is', async () => {
    const chat = await openLog();
    await chat.tell({ type: 'connection', state: 'offline' });
    await chat.page.getByText('Nothing is lost').waitFor();
    await chat.tell({ type: 'connection', state: 'connected' });
    await chat.page.getByText('Nothing is lost').waitFor({ state: 'detached' });
  });

  it('starts a session only with consent where nothing isolates it', async () => {
    const chat = await openChat({ answer: method => (method === 'startSession' ? { sessionId: log.id } : {}) });
    await showNewSession(chat, { canChoose: false, modelKeyPresent: true });
    const field = chat.page.getByLabel('Task for the agent');
    await field.fill('Fix it');
    await field.press('Enter');
    assert.deepEqual(chat.asked('startSession'), []);
    await chat.page.getByLabel('Run this session without isolation').check();
    await chat.page.getByLabel(/Include uncommitted/).check();
    await chat.page.getByRole('combobox').selectOption('acceptEdits');
    await field.press('Enter');
    await eventually(() =>
      assert.deepEqual(chat.asked('startSession'), [
        { prompt: 'Fix it', includeUncommitted: true, permissionMode: 'acceptEdits', acceptNoIsolation: true },
      ]),
    );
    await eventually(() => assert.deepEqual(chat.asked('selectSession'), [{ sessionId: log.id }]));
    assert.equal(await field.inputValue(), '');
  });

  for (const width of [250, 480, 1400]) {
    it(`fits into ${width} pixels`, async () => {
      log.turn(1, 'word'.repeat(200));
      log.tool('t', 'Bash', 'x'.repeat(500), { command: 'x'.repeat(500) }, 'y'.repeat(500));
      log.add({
        type: 'textFinished',
        itemId: 'x',
        text: { text: `\`${'z'.repeat(300)}\`\n\n|a|b|\n|-|-|\n|${'c'.repeat(300)}|d|` },
      });
      log.add({ type: 'noticeRaised', level: 'error', text: 'n'.repeat(300) });
      log.finish(1);
      const chat = await openLog({ width });
      await chat.page.locator('[data-tool=t] > summary').click();
      const wide = await chat.page.evaluate(() => ({
        page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        column:
          (document.querySelector('.scroller')?.scrollWidth ?? 0) -
          (document.querySelector('.scroller')?.clientWidth ?? 0),
      }));
      assert.deepEqual(wide, { page: 0, column: 0 });
    });
  }
});
