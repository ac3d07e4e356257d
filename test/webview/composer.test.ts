import assert from 'node:assert/strict';
import type { EventBody } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { eventually } from '../support/eventually.ts';
import { commit, SessionLog } from '../support/sessionLog.ts';
import type { WebviewPage, WebviewPageOptions } from '../support/webviewPage.ts';
import { useChatPages } from '../support/webviewSuite.ts';
import { screenshot } from '../support/workbench.ts';

/** What a person does in the composer and with messages, against a host that is played. */
describe('the composer', function () {
  this.timeout(60_000);
  const { openSession } = useChatPages();
  let log: SessionLog;

  beforeEach(() => {
    log = new SessionLog();
    log.ready();
  });

  const openLog = (options?: WebviewPageOptions): Promise<WebviewPage> => openSession(log, options);
  const add = (chat: WebviewPage, ...bodies: EventBody[]): Promise<void> =>
    chat.tell({ type: 'events', sessionId: log.id, events: log.add(...bodies) });
  const sent = (chat: WebviewPage): unknown[] => chat.asked('send').map(({ text, way }) => [text, way]);

  it('says how a message will go while the agent works, and sends it so by choice or key', async () => {
    log.turn(1, 'Go');
    const chat = await openLog();
    const field = chat.page.getByLabel('Message to the agent');
    await field.fill('one');
    await chat.page.getByText('Queued until this turn ends').waitFor();
    await field.press('Enter');
    await field.fill('two');
    await field.press('Control+Enter');
    await field.fill('three');
    await field.press('Control+Shift+Enter');
    await chat.page.getByLabel('How to send').selectOption('Steer');
    await field.fill('four');
    await chat.page.getByText('Goes into this turn').waitFor();
    await chat.page.getByRole('button', { name: 'Steer' }).click();
    await field.fill('five');
    await field.press('Shift+Enter');
    await eventually(() =>
      assert.deepEqual(sent(chat), [
        ['one', undefined],
        ['two', 'steer'],
        ['three', 'interrupt'],
        ['four', 'steer'],
      ]),
    );
    assert.equal(await field.inputValue(), 'five\n');
  });

  it('shows the way of each message, hurries one, and takes one back into the field', async () => {
    log.turn(1, 'Go');
    const chat = await openLog({ answer: method => (method === 'unqueue' ? { text: 'wait' } : {}) });
    const [waits, steers, first] = [newId('msg'), newId('msg'), newId('msg')];
    await add(
      chat,
      { type: 'messageQueued', messageId: waits, text: 'wait', by: 'owner' },
      { type: 'messageQueued', messageId: steers, text: 'steer', by: 'owner', way: 'steer' },
      { type: 'messageSent', messageId: steers },
      { type: 'messageQueued', messageId: first, text: 'first', by: 'owner', way: 'interrupt' },
    );
    const bubble = (id: string) => chat.page.locator(`[data-message="${id}"]`);
    await bubble(waits).getByText('Queued').waitFor();
    await bubble(steers).getByText('Steering').waitFor();
    await bubble(first).getByText('Next').waitFor();
    await bubble(waits).getByRole('button', { name: 'Steer' }).click();
    await eventually(() =>
      assert.deepEqual(chat.asked('hurry'), [{ sessionId: log.id, messageId: waits, way: 'steer' }]),
    );
    await bubble(waits).getByRole('button', { name: 'Edit' }).click();
    await add(chat, { type: 'messageWithdrawn', messageId: waits, by: 'owner' });
    await bubble(waits).waitFor({ state: 'detached' });
    assert.equal(await chat.page.getByLabel('Message to the agent').inputValue(), 'wait');
    assert.equal(await bubble(steers).getByRole('button').count(), 0);
    await add(chat, { type: 'messageTaken', messageId: steers });
    await bubble(steers).getByText('Steered').waitFor();
  });

  it('recalls what was sent with the arrow keys, and leaves the keys alone in a text of one’s own', async () => {
    log.turn(1, 'First task');
    log.finish(1);
    log.turn(2, 'Second task');
    log.finish(2);
    const chat = await openLog();
    const field = chat.page.getByLabel('Message to the agent');
    await field.press('ArrowUp');
    assert.equal(await field.inputValue(), 'Second task');
    await field.press('ArrowUp');
    assert.equal(await field.inputValue(), 'First task');
    await field.press('ArrowDown');
    await field.press('ArrowDown');
    assert.equal(await field.inputValue(), '');
    await field.fill('My own');
    await field.press('ArrowUp');
    assert.equal(await field.inputValue(), 'My own');
  });

  it('edits the last message and sends it again, after files and conversation went back', async () => {
    log.turn(1, 'First');
    log.finish(1);
    log.turn(2, 'Secnd');
    log.finish(2);
    let restore = 0;
    const chat = await openLog({
      answer: method => (method === 'goBack' ? { restore } : {}),
    });
    await chat.page.getByLabel('Message to the agent').fill('half a draft');
    const bubble = chat.page.locator('.message', { hasText: 'Secnd' });
    await bubble.getByRole('button', { name: 'Edit' }).click();
    await chat.page.getByText(/brings files and conversation back to the end of turn 1/).waitFor();
    const field = chat.page.getByLabel('Message of turn 2');
    assert.equal(await field.inputValue(), 'Secnd');
    await field.fill('');
    await field.fill('Second');
    restore = log.state.seq + 1;
    await field.press('Enter');
    await chat.page.getByText('Going back…').waitFor();
    // What asks is loaded with the first use.
    await eventually(() => assert.deepEqual(chat.asked('goBack'), [{ sessionId: log.id, turn: 1 }]));
    await add(chat, { type: 'restoreStarted', turn: 1, code: true, conversation: true, by: 'owner' });
    assert.deepEqual(sent(chat), [], 'nothing is sent before it is restored');
    const review = { pendingFiles: 0, pending: 0, reviewed: 0 };
    const stats = { files: 0, insertions: 0, deletions: 0 };
    await add(chat, {
      type: 'restoreFinished',
      restore,
      code: { saved: commit('c'), checkpoint: commit('b'), review, stats },
      conversation: {},
    });
    await eventually(() => assert.deepEqual(sent(chat), [['Second', undefined]]));
    assert.equal(await chat.page.getByLabel('Message to the agent').inputValue(), 'half a draft');
  });

  it('sends nothing when nothing was restored, and keeps the text', async () => {
    log.turn(1, 'First');
    log.finish(1);
    let restore = 0;
    const chat = await openLog({ answer: method => (method === 'goBack' ? { restore } : {}) });
    await chat.page.getByRole('button', { name: 'Edit' }).click();
    restore = log.state.seq + 1;
    await chat.page.getByLabel('Message of turn 1').press('Enter');
    await add(
      chat,
      { type: 'restoreStarted', turn: 0, code: true, conversation: true, by: 'owner' },
      { type: 'restoreFailed', restore, failure: { code: 'git_failed', message: 'No room.', retryable: false } },
    );
    await chat.page.getByText('The message was not sent').waitFor();
    assert.equal(await chat.page.getByLabel('Message of turn 1').inputValue(), 'First');
    assert.deepEqual(sent(chat), []);
    await chat.page.getByRole('button', { name: 'Cancel' }).click();
    await chat.page.getByLabel('Message to the agent').waitFor();
  });

  it('changes mode, model and effort, and shows what the session says and not what was clicked', async () => {
    const chat = await openLog();
    await chat.page.getByLabel('Permission mode').selectOption('Accept edits');
    await chat.page.getByLabel('Effort').selectOption('High effort');
    await chat.page.getByLabel('Model').selectOption('sonnet');
    await eventually(() =>
      assert.deepEqual(chat.asked('configure'), [
        { sessionId: log.id, permissionMode: 'acceptEdits' },
        { sessionId: log.id, effort: 'high' },
        { sessionId: log.id, model: 'sonnet' },
      ]),
    );
    assert.equal(await chat.page.getByLabel('Permission mode').inputValue(), 'ask');
    await add(chat, { type: 'settingsChanged', permissionMode: 'acceptEdits', model: 'my-own-model', by: 'owner' });
    await eventually(async () => assert.equal(await chat.page.getByLabel('Model').inputValue(), 'my-own-model'));
    await chat.page.getByText('Model: my-own-model. Permission mode: Accept edits.').waitFor();
    await chat.page.getByLabel('Model').selectOption('Other…');
    await chat.page.getByLabel('Name of the model').fill('another');
    await chat.page.getByLabel('Name of the model').press('Enter');
    await eventually(() => assert.deepEqual(chat.asked('configure').at(-1), { sessionId: log.id, model: 'another' }));
    assert.deepEqual(chat.asked('send'), []);
  });

  it('takes pasted and dropped images, smaller when they are large, and shows those that were sent', async () => {
    const chat = await openLog();
    const field = chat.page.getByLabel('Message to the agent');
    const bring = (kind: 'paste' | 'drop', sizes: number[]): Promise<void> =>
      field.evaluate(
        async (node, { how, edges }) => {
          const data = new DataTransfer();
          for (const edge of edges) {
            const canvas = new OffscreenCanvas(edge, edge / 2);
            canvas.getContext('2d')?.fillRect(0, 0, edge / 2, edge / 2);
            data.items.add(new File([await canvas.convertToBlob()], 'a.png', { type: 'image/png' }));
          }
          const options = { bubbles: true, cancelable: true };
          node.dispatchEvent(
            how === 'paste'
              ? new ClipboardEvent('paste', { ...options, clipboardData: data })
              : new DragEvent('drop', { ...options, dataTransfer: data }),
          );
        },
        { how: kind, edges: sizes },
      );
    await bring('paste', [100]);
    await chat.page.getByRole('img', { name: 'Image 1' }).waitFor();
    await bring('drop', [4000, 50]);
    await chat.page.getByRole('img', { name: 'Image 3' }).waitFor();
    await screenshot(chat.page, 'composer-images');
    const width = await chat.page
      .getByRole('img', { name: 'Image 2' })
      .evaluate(node => (node instanceof HTMLImageElement ? node.naturalWidth : 0));
    assert.equal(width, 1568);
    await chat.page.getByRole('button', { name: 'Remove image 3' }).click();
    await field.fill('What is this?');
    await field.press('Enter');
    await eventually(() => assert.equal(chat.asked('send').length, 1));
    const images = chat.asked('send')[0]?.['images'];
    assert.ok(Array.isArray(images) && images.length === 2);
    assert.equal(await chat.page.getByRole('img', { name: /^Image/ }).count(), 0, 'the next message begins without');
    await bring('paste', [10, 10, 10, 10, 10, 10, 10, 10, 10]);
    await chat.page.getByText('A message takes 8 images').waitFor();
  });

  for (const width of [250, 480]) {
    it(`fits into ${width} pixels while the agent works`, async () => {
      log.turn(1, 'Go');
      const chat = await openLog({ width });
      await chat.page.getByLabel('Message to the agent').fill('A follow-up');
      const overflow = await chat.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await screenshot(chat.page, `composer-${width}`);
    });
  }
});
