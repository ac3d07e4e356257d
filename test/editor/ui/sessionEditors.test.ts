import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { sendMessage, waitForText } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { chooseInMenu, screenshot, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const TITLE = 'Write a haiku';

/** Sessions beside the side bar: in a tab, after a reload, and in a window of their own. */
describe('a session in an editor', function () {
  this.timeout(180_000);
  let stage: EditorStage;
  let page: Page;
  let sessionId: string;

  before(async () => {
    stage = await openEditorStage({ fallback: [{ text: 'An old silent pond.' }] });
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(30_000));
    const list = page.getByText('No sessions yet.');
    await eventually(async () => {
      if (!(await list.isVisible())) {
        await page.getByRole('tab', { name: 'Sandpiper' }).first().click({ timeout: 5000 });
      }
      await list.waitFor({ timeout: patient(10_000) });
    }, 60_000);
    ({ sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: 'Write one',
      title: TITLE,
    }));
    await treeItem(page, new RegExp(`^${TITLE},`)).waitFor({ timeout: patient(45_000) });
  });
  after(async () => {
    await stage.dispose();
  });
  pictureOfFailure(() => page);

  /** The chat in the editor part of a window. The workbench keeps its frames beside its parts, so it is known by where it is. */
  const chatInEditor = (window: Page): Promise<FrameLocator> =>
    eventually(async () => {
      const editor = await window.locator('.part.editor').first().boundingBox();
      const frames = window.locator('iframe.webview.ready');
      for (let index = 0; index < (await frames.count()); index++) {
        const box = await frames.nth(index).boundingBox();
        const middle = box && box.width > 0 ? box.x + box.width / 2 : -1;
        if (editor && middle > editor.x && middle < editor.x + editor.width) {
          const chat = frames.nth(index).contentFrame().locator('#active-frame').contentFrame();
          await chat.getByRole('textbox', { name: 'Message to the agent' }).waitFor({ timeout: 2000 });
          return chat;
        }
      }
      throw new Error('No chat stands in an editor.');
    }, 45_000);
  const tab = (window: Page) => window.locator('.part.editor .tab', { hasText: TITLE });

  it('opens from its row, with its title, and takes messages; once however often it is opened', async () => {
    const row = treeItem(page, new RegExp(`^${TITLE},`));
    await chooseInMenu(page, row, 'Open Session in Editor', async () => assert.equal(await tab(page).count(), 1));
    const chat = await chatInEditor(page);
    await waitForText(chat, 'An old silent pond.');
    await sendMessage(chat, 'Another one');
    await eventually(async () => {
      const { turns } = await stage.client.call('session.get', { sessionId });
      assert.equal(turns.length, 2);
    }, 45_000);
    await screenshot(page, 'session-in-editor');
    await runCommand(page, 'Sandpiper: Open Session in Editor');
    await chat.getByText('Another one').waitFor();
    assert.equal(await tab(page).count(), 1);
  });

  it('is back after a reload, and follows a new title', async () => {
    // Unlike a reload of the page, this writes down what the window remembers.
    await runCommand(page, 'Developer: Reload Window');
    await tab(page).waitFor({ state: 'detached' });
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: patient(60_000) });
    await tab(page).waitFor({ timeout: patient(45_000) });
    const chat = await chatInEditor(page);
    await waitForText(chat, 'Another one');
    await stage.client.call('session.rename', { sessionId, title: `${TITLE} or two` });
    await page.locator('.part.editor .tab', { hasText: `${TITLE} or two` }).waitFor();
  });

  it('goes to a window of its own, and works there', async () => {
    const opened = page.context().waitForEvent('page', { timeout: patient(60_000) });
    await runCommand(page, 'Sandpiper: Open Session in New Window');
    const window = await opened;
    await tab(window).waitFor({ timeout: patient(30_000) });
    const chat = await chatInEditor(window);
    await sendMessage(chat, 'From its own window');
    await waitForText(chat, 'From its own window');
    await eventually(async () => {
      const { turns } = await stage.client.call('session.get', { sessionId });
      assert.equal(turns.length, 3);
    }, 45_000);
    await screenshot(window, 'session-in-window');
    assert.equal(await tab(page).count(), 0);
  });
});
