import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { readRecording } from '../../../server/src/samples/recording.ts';
import { chatOf, sendMessage, waitForText } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { runCommand } from '../../support/palette.ts';
import { patient } from '../../support/patience.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { diffOf, lens, openChanges } from '../../support/reviewStage.ts';
import { notification, screenshot } from '../../support/workbench.ts';

const TEXT = 'Make it faster, please';
const last = readRecording().turns.at(-1) ?? {};

/** What somebody sees who has just installed it: neither key nor Claude Code nor folder. Each test goes on where the one before ended. */
describe('the sample session in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let folder = '';

  before(async () => {
    stage = await openEditorStage({
      env: { ANTHROPIC_API_KEY: undefined, SANDPIPER_CLAUDE: '/nonexistent/claude' },
    });
    folder = join(stage.dataFolder, 'samples/cart');
    page = await stage.openWindow(null);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const sessions = async () => (await stage.client.call('session.list', {})).sessions;
  const onlyId = async (): Promise<string> => {
    const [only, ...others] = await sessions();
    assert.deepEqual(others, []);
    return only?.id ?? '';
  };

  it('opens from the view of a window without a folder, and says what it is', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByRole('button', { name: 'Open Sample Session' }).click();
    const chat = await chatOf(page);
    await waitForText(chat, /^This is a sample: it was recorded/);
    await waitForText(chat, 'All six tests pass now.');
    await waitForText(chat, /In favour of the customer/);
    await notification(page, 'The sample has a repository of its own').waitFor();
    await page.getByRole('treeitem', { name: /^cart\.mjs/ }).waitFor();
    await screenshot(page, 'sample-chat');
  });

  it('refuses a message with what to do, and keeps its text', async () => {
    const chat = await chatOf(page);
    await sendMessage(chat, TEXT);
    await waitForText(chat, /This is a recorded sample.*/);
    await waitForText(chat, /session of your own/);
    await waitForText(chat, TEXT);
    await screenshot(page, 'sample-refused');
    assert.equal((await stage.client.call('session.get', { sessionId: await onlyId() })).phase.kind, 'idle');
  });

  it('is reviewed and applied in its folder, opened again from the palette', async () => {
    await notification(page, 'The sample has a repository of its own')
      .getByRole('button', { name: 'Open Folder' })
      .click();
    const explorer = page.locator('.explorer-folders-view');
    await explorer.getByRole('treeitem', { name: /^cart\.mjs/ }).waitFor({ timeout: patient(60_000) });
    await runCommand(page, 'Sandpiper: Open Sample Session');
    const chat = await chatOf(page);
    await waitForText(chat, 'All six tests pass now.');
    const sessionId = await onlyId();
    await openChanges({ page, chat });
    const accept = lens(diffOf(page, 'cart.mjs'), 'Accept').first();
    await accept.waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'sample-changes');
    await accept.click();
    await eventually(async () => {
      const { review } = await stage.client.call('review.list', { sessionId });
      assert.deepEqual([review.pending, review.reviewed], [7, 1]);
    });
    await runCommand(page, 'Sandpiper: Apply to Workspace');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'All changes' }).click();
    await notification(page, 'Applied all changes to 4 files').waitFor({ timeout: patient(30_000) });
    for (const [path, text] of Object.entries(last)) {
      assert.equal(await readFile(join(folder, path), 'utf8'), text);
    }
    await screenshot(page, 'sample-applied');
  });
});
