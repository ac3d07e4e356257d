import assert from 'node:assert/strict';
import type { EventBody } from '../../protocol/events.ts';
import { eventually } from '../support/eventually.ts';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage, type WebviewPage, type WebviewPageOptions } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';

describe('the work of the agent on the chat page', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();
  let log: SessionLog;
  let chat: WebviewPage;

  beforeEach(() => {
    log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
  });

  afterEach(async () => {
    assert.deepEqual(chat.problems, []);
    await chat.close();
  });

  async function openLog(options: WebviewPageOptions = {}): Promise<void> {
    chat = await openWebviewPage(browser(), server().url, options);
    await chat.tell({ type: 'connection', state: 'connected' });
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.getByLabel('Message to the agent').waitFor();
  }

  async function add(...bodies: EventBody[]): Promise<void> {
    await chat.tell({ type: 'events', sessionId: log.id, events: log.add(...bodies) });
  }

  const agent = (toolId: string, title: string, parentToolId?: string): EventBody => ({
    type: 'toolStarted',
    toolId,
    name: 'Agent',
    title,
    input: { text: '{"prompt":"Look around"}' },
    ...(parentToolId === undefined ? {} : { parentToolId }),
  });

  it('is a tree: subagents with their steps, and theirs', async () => {
    log.add(agent('a', 'Explore'), { type: 'taskStarted', toolId: 'a' });
    await openLog();
    await add(
      { type: 'toolFinished', toolId: 'a', outcome: 'ok', output: { text: 'Async agent launched successfully. id 7' } },
      agent('b', 'Deeper', 'a'),
      { type: 'textFinished', itemId: 'said', text: { text: 'Seen from below' }, parentToolId: 'b' },
    );
    const outer = chat.page.locator('[data-tool=a]');
    await outer.locator('[data-tool=b]').getByText('Seen from below').waitFor();
    assert.match((await outer.locator('> summary').textContent()) ?? '', /2 steps.*Running/);
    assert.equal(await chat.page.getByText('Async agent launched').count(), 0, 'words that are not for people');
    await add({ type: 'taskFinished', toolId: 'a', outcome: 'ok', tokens: 4200, toolUses: 3 });
    await eventually(async () => assert.match((await outer.locator('> summary').textContent()) ?? '', /Done/));
    await chat.page.getByText('4,200 tokens, 3 tool calls').waitFor({ state: 'attached' });
  });

  it('folds what was only looked at, and shows it when asked', async () => {
    log.tool('r1', 'Read', 'Read a.ts', { file_path: 'a.ts' }, 'x');
    log.tool('r2', 'Read', 'Read b.ts', { file_path: 'b.ts' }, 'x');
    log.tool('g', 'Grep', 'Grep foo', { pattern: 'foo' }, 'x');
    log.tool('e', 'Bash', 'npm test', { command: 'npm test' }, 'x'.repeat(3000));
    await openLog();
    const group = chat.page.locator('details.group');
    assert.equal(await group.locator('> summary').textContent(), 'Read 2 files, searched 1 time');
    assert.equal(await chat.page.locator('[data-tool=r1]').count(), 0, 'what is folded costs nothing');
    assert.match((await chat.page.locator('[data-tool=e] > summary').textContent()) ?? '', /2\.9 KB/);
    await group.locator('> summary').press('Enter');
    await chat.page.locator('[data-tool=r1]').waitFor();
    await chat.tell({ type: 'events', sessionId: log.id, events: log.tool('r3', 'Read', 'Read c', {}, 'x') });
    assert.equal(await chat.page.locator('[data-tool=r1]').isVisible(), true, 'it stays open');
  });

  it('shows only words in focus mode, which stays', async () => {
    log.tool('e', 'Edit', 'Edit a.ts', { file_path: 'a.ts', old_string: 'a', new_string: 'b' }, 'ok');
    log.tool('b', 'Bash', 'npm test', { command: 'npm test' }, 'ok');
    log.add({ type: 'textFinished', itemId: 'x', text: { text: 'All done' } });
    await openLog();
    await chat.page.locator('[data-tool=e]').waitFor();
    const button = chat.page.getByRole('button', { name: 'Focus mode' });
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    assert.equal(await chat.page.locator('[data-tool]').count(), 0);
    await chat.page.getByText('Edited 1 time, ran 1 command').waitFor();
    await chat.page.getByText('All done').waitFor();
    await chat.page.waitForFunction(() => Reflect.get(window, 'sandpiperSaved')?.focus === true);
    await chat.close();
    await openLog({ saved: { drafts: {}, unsent: [], focus: true } });
    assert.equal(await chat.page.locator('[data-tool]').count(), 0);
  });

  it('opens what is folded around a row that is to be shown', async () => {
    log.tool('r1', 'Read', 'Read a.ts', {}, 'x');
    log.tool('r2', 'Read', 'Read b.ts', {}, 'x');
    log.tool('r3', 'Read', 'Read c.ts', {}, 'x');
    log.add(agent('a', 'Explore'));
    log.add({ type: 'textFinished', itemId: 'deep', text: { text: 'found it' }, parentToolId: 'a' });
    log.add({ type: 'toolFinished', toolId: 'a', outcome: 'ok', output: { text: 'ok' } });
    await openLog();
    await chat.tell({ type: 'show', sessionId: log.id, itemId: 'r2' });
    await chat.page.locator('[data-row=r2]:focus').waitFor();
    await chat.tell({ type: 'show', sessionId: log.id, itemId: 'deep' });
    await chat.page.locator('[data-row=deep]:focus').waitFor();
    assert.equal(await chat.page.getByText('found it').isVisible(), true);
  });

  it('lists what the agent means to do until all of it is done and it rests', async () => {
    log.add({
      type: 'todosChanged',
      changes: [
        { id: '1', text: 'Read the code', status: 'done' },
        { id: '2', text: 'Fix it', doing: 'Fixing it', status: 'active' },
        { id: '3', text: '<b>Test</b> \u202e it' },
      ],
      replaces: true,
    });
    await openLog();
    const card = chat.page.locator('.todoCard');
    await card.getByText('1 of 3 done').waitFor();
    await card.getByText('Fixing it').waitFor();
    await card.locator('summary').press('Enter');
    assert.deepEqual(await card.locator('li').allTextContents(), [
      'Done: Read the code',
      'Now: Fix it',
      'To do: <b>Test</b> U+202E it',
    ]);
    await add({
      type: 'todosChanged',
      changes: [
        { id: '2', status: 'done' },
        { id: '3', status: 'done' },
      ],
      replaces: false,
    });
    await card.getByText('3 of 3 done').waitFor();
    await chat.tell({ type: 'events', sessionId: log.id, events: log.finish(1) });
    await card.waitFor({ state: 'detached' });
  });

  it('says how full the memory of the model is and what each turn used', async () => {
    log.add({ type: 'commandsFound', commands: ['compact'] });
    log.add({ type: 'contextMeasured', tokens: 164_000, window: 200_000 });
    log.finish(1);
    await openLog();
    const button = chat.page.getByRole('button', { name: 'Context and cost: 82 %, $0.12' });
    await button.click();
    const panel = chat.page.getByRole('region', { name: 'Context and cost' });
    await panel.getByText('164k of 200k tokens').waitFor();
    assert.deepEqual(await panel.locator('tbody tr').allInnerTexts(), ['1\t$0.12\t900\t400\t0\t0\t2:14']);
    await panel.getByRole('button', { name: 'Make Room…' }).click();
    await eventually(async () =>
      assert.equal(await chat.page.getByLabel('Message to the agent').inputValue(), '/compact'),
    );
    await button.click();
    await panel.waitFor({ state: 'detached' });
  });

  it('is searched as a whole: what is folded, what is not drawn, what is only in the log', async () => {
    for (let index = 0; index < 400; index++) {
      log.add({ type: 'textFinished', itemId: `t${index}`, text: { text: `Paragraph ${index}` } });
    }
    log.tool('r1', 'Read', 'Read a.ts', { file_path: 'a.ts' }, 'needle in a folded step');
    log.tool('r2', 'Read', 'Read b.ts', {}, 'x');
    log.tool('r3', 'Read', 'Read c.ts', {}, 'x');
    const { state } = log;
    chat = await openWebviewPage(browser(), server().url, {
      answer: (method, params) => {
        const after = Number(params['after']);
        return method === 'readEvents' ? { events: log.events.slice(after, after + 100), lastSeq: state.seq } : {};
      },
    });
    await chat.tell({ type: 'connection', state: 'connected' });
    const shown = { ...state, items: state.items.slice(-250), omittedItems: state.items.length - 250 };
    await chat.tell({ type: 'open', sessionId: log.id, state: shown, live: [] });
    await chat.page.getByLabel('Message to the agent').press('Control+f');
    const field = chat.page.getByRole('textbox', { name: 'Find in this session' });
    const marked = (): Promise<string> =>
      chat.page.evaluate(() => {
        const highlights: unknown = Reflect.get(CSS, 'highlights');
        const now: unknown = highlights instanceof Map || typeof highlights === 'object' ? highlights : undefined;
        const found = now && Reflect.get(now, 'get')?.call(now, 'sandpiper-found-now');
        return found ? [...found].map(String).join() : '';
      });
    await field.fill('paragraph 3');
    await chat.page.getByText('111 of 111').waitFor();
    await chat.page.locator('[data-row=t399]').waitFor();
    await eventually(async () => assert.equal(await marked(), 'Paragraph 3'));
    await field.press('Shift+Enter');
    await chat.page.getByText('1 of 111').waitFor();
    await eventually(async () => assert.equal(await chat.page.locator('[data-row=t3]').isVisible(), true));
    await field.fill('NEEDLE');
    await chat.page.getByText('1 of 1').waitFor();
    await chat.page.locator('[data-row=r1]').getByText('needle in a folded step').waitFor();
    await eventually(async () => assert.equal(await marked(), 'needle'));
    assert.equal(await field.evaluate(element => element === document.activeElement), true);
    await field.press('Escape');
    await field.waitFor({ state: 'detached' });
    // The marks go with the frame after the one that takes the field away.
    await eventually(async () => assert.equal(await marked(), ''));
  });

  it('offers code to the editor, with the file that it names', async () => {
    log.add({
      type: 'textFinished',
      itemId: 'x',
      text: { text: '```ts src/a.ts\nconst a = 1;\n```\n\n```sh\nls\n```' },
    });
    let fails = false;
    await openLog({
      answer: () => {
        if (fails) {
          throw new Error('No file is open in the editor.');
        }
        return {};
      },
    });
    await chat.page.getByRole('button', { name: 'Insert the code at the cursor' }).first().click();
    await chat.page.getByRole('button', { name: 'Apply the code to the open file' }).first().click();
    await eventually(() => {
      assert.deepEqual(chat.asked('insertCode'), [{ text: 'const a = 1;\n' }]);
      assert.deepEqual(chat.asked('applyCode'), [{ text: 'const a = 1;\n', language: 'ts', path: 'src/a.ts' }]);
    });
    fails = true;
    await chat.page.getByRole('button', { name: 'Apply the code to the open file' }).last().click();
    await chat.page.getByText('No file is open in the editor.').waitFor();
  });
});
