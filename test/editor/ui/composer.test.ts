import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import type { SessionState } from '../../../protocol/session.ts';
import { openChat, press, sendMessage, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

/** Until the file is there, so that the test and not a clock says how long the turn runs. */
const wait = (file: string): string =>
  `@@${JSON.stringify([{ tool: 'Bash', input: { command: `until [ -e ${file} ]; do python3 -c "import time; time.sleep(0.1)"; done` } }, { text: `Saw ${file}.` }])}`;

/** Steering, stopping, editing and the settings of the agent, in a real editor with the real agent. */
describe('the composer in the editor', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;
  let sessionId = '';

  const state = (): Promise<SessionState> => stage.client.call('session.get', { sessionId });
  const field = () => chat.getByRole('textbox', { name: 'Message to the agent' });
  const bubble = (text: string) => chat.locator('.message', { hasText: text });
  async function letGo(file: string): Promise<void> {
    const { sandboxes } = { sandboxes: join(stage.dataFolder, 'sandboxes') };
    const { events } = await stage.client.call('session.events', { sessionId, after: 0, limit: 1000 });
    const ready = events.findLast(({ body }) => body.type === 'sandboxReady')?.body;
    assert.ok(ready?.type === 'sandboxReady');
    await writeFile(join(sandboxes, ready.sandboxId, 'workspace', file), '');
  }

  before(async function () {
    this.timeout(240_000);
    stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    page = await stage.openWindow();
    chat = await eventually(() => openChat(page), 70_000);
    await startTask(chat, `Wait for a ${wait('a')}`);
    await waitForText(chat, /Running|until/);
    const { sessions } = await stage.client.call('session.list', {});
    sessionId = sessions[0]?.id ?? '';
    await eventually(async () => assert.equal((await state()).phase.kind, 'working'), 60_000);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('steers with a key, queues with Enter, and shows which is which', async () => {
    await field().fill('And say please');
    await field().press('Control+Enter');
    await bubble('And say please').getByText('Steering').waitFor();
    await sendMessage(chat, `Wait for b ${wait('b')}`);
    await bubble('Wait for b').getByText('Queued').waitFor();
    await screenshot(page, 'composer-steering');
    await letGo('a');
    await waitForText(chat, 'Saw a.');
    await bubble('And say please').getByText('Steered').waitFor();
    await waitForTurnEnds(chat, 1);
  });

  it('stops the turn for a message that cannot wait', async () => {
    await eventually(async () => assert.equal((await state()).turns.length, 2), 60_000);
    await chat.getByRole('combobox', { name: 'How to send' }).selectOption('Stop and Send');
    await field().fill('Rather this @@[{"text":"Rather that."}]');
    await press(chat, 'Stop and Send');
    await waitForText(chat, 'Rather that.');
    await waitForTurnEnds(chat, 3);
    const { turns } = await state();
    assert.deepEqual(
      turns.map(({ agent }) => agent?.outcome),
      ['completed', 'stopped', 'completed'],
    );
  });

  it('sets mode and effort of the agent that is there', async () => {
    await chat.getByRole('combobox', { name: 'Permission mode' }).selectOption('Plan');
    await chat.getByRole('combobox', { name: 'Effort' }).selectOption('Low effort');
    await eventually(async () => {
      const { permissionMode, effort } = await state();
      assert.deepEqual([permissionMode, effort], ['plan', 'low']);
    });
    await waitForText(chat, 'Permission mode: Plan first.');
  });

  it('edits the last message: what it did is set aside, and another turn begins in its place', async () => {
    await bubble('Rather this').getByRole('button', { name: 'Edit' }).click();
    await waitForText(chat, /brings files and conversation back to the end of turn 2/);
    const edited = chat.getByRole('textbox', { name: 'Message of turn 3' });
    await edited.fill('Better this @@[{"text":"Better that."}]');
    await screenshot(page, 'composer-editing');
    await edited.press('Enter');
    await waitForText(chat, 'Better that.');
    await waitForTurnEnds(chat, 4);
    const now = await state();
    assert.deepEqual(now.turns.at(-1)?.after, { code: 2, conversation: 2 });
    assert.ok(!stage.model.lastConversation().some(({ text }) => text.includes('Rather')), 'the agent forgot it');
    await field().press('ArrowUp');
    await eventually(async () => assert.match(await field().inputValue(), /^Better this/));
  });

  it('completes files of the session, the selection of the editor and commands of the agent', async () => {
    await page.getByRole('treeitem', { name: 'slug.sh' }).first().dblclick();
    const editor = page.locator('.editor-instance .view-lines').first();
    await editor.click();
    await page.keyboard.press('Control+A');
    await field().fill('');
    await field().pressSequentially('See @slu');
    await chat.getByRole('option', { name: 'slug.sh' }).waitFor();
    await field().press('Enter');
    await eventually(async () => assert.equal(await field().inputValue(), 'See @slug.sh '));
    await field().pressSequentially('and @sel');
    await chat.getByRole('option', { name: /@selection.*slug\.sh lines 1 to/ }).waitFor();
    await screenshot(page, 'composer-mentions');
    await field().press('Enter');
    await eventually(async () =>
      assert.match(await field().inputValue(), /^See @slug\.sh and slug\.sh lines 1 to \d+:\n```/),
    );
    await field().fill('');
    await field().pressSequentially('/comp');
    await chat.getByRole('option', { name: '/compact' }).waitFor();
    await field().press('Tab');
    await eventually(async () => assert.equal(await field().inputValue(), '/compact '));
  });

  it('sends a pasted image, and shows it in the chat', async () => {
    await chat.getByRole('combobox', { name: 'Permission mode' }).selectOption('Autopilot');
    await field().fill('What is this? @@[{"text":"A square."}]');
    await field().evaluate(async node => {
      const data = new DataTransfer();
      const canvas = new OffscreenCanvas(60, 60);
      const brush = canvas.getContext('2d');
      if (brush) {
        brush.fillStyle = 'teal';
        brush.fillRect(10, 10, 40, 40);
      }
      data.items.add(new File([await canvas.convertToBlob()], 'square.png', { type: 'image/png' }));
      node.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data }));
    });
    await chat.getByRole('group', { name: 'Images of this message' }).getByRole('img').waitFor();
    await field().press('Enter');
    await chat.getByRole('img', { name: 'Image 1 of the message' }).waitFor({ timeout: patient(30_000) });
    await waitForText(chat, 'A square.');
    await screenshot(page, 'composer-image');
    const sent = (await state()).items.findLast(item => item.kind === 'message');
    assert.equal(sent?.kind === 'message' ? sent.images?.[0]?.mediaType : undefined, 'image/png');
  });
});
