import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, press, startTask, toolCard, TURN_TIMEOUT_MS } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { plainGit } from '../../support/plainGit.ts';
import { lens, lines } from '../../support/reviewStage.ts';
import { notification, screenshot, webview } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const path = 'list.txt';
const edit = (from: string, to: string) => ({
  tool: 'Edit',
  input: { file_path: path, old_string: from, new_string: to },
});
const STEPS = [
  { tool: 'Read', input: { file_path: path } },
  edit('line 4\n', 'the fourth line\n'),
  edit('line 30\n', 'the thirtieth line\n'),
  { text: 'Done.' },
];

/** Between the chat and the diff, both ways; each test goes on where the one before ended. */
describe('a review and its chat', function () {
  this.timeout(60_000);
  this.bail(true);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;
  let sessionId = '';

  before(async function () {
    this.timeout(180_000);
    stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    await writeFile(join(stage.repository, path), `${lines().join('\n')}\n`);
    await plainGit(stage.repository, ['add', '-A']);
    await plainGit(stage.repository, ['commit', '-qm', 'lines']);
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(15_000));
    chat = await openChat(page);
    await startTask(chat, `Write words @@${JSON.stringify(STEPS)}`);
    sessionId = await eventually(async () => {
      const [session] = (await stage.client.call('session.list', {})).sessions;
      assert.ok(session);
      const state = await stage.client.call('session.get', { sessionId: session.id });
      assert.ok(state.turns[0]?.checkpoint?.changed === true, JSON.stringify(state.phase));
      return session.id;
    }, TURN_TIMEOUT_MS);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const line = (text: string) => page.locator('.editor-instance .view-line', { hasText: text }).last();
  const cursorAt = (number: number) => page.locator('.part.statusbar').getByText(`Ln ${number}, Col 1`).waitFor();

  it('go from the card of a tool call to its own lines in the diff', async () => {
    await toolCard(chat, path).filter({ hasText: 'the thirtieth line' }).locator('a.file').click();
    await line('the thirtieth line').waitFor();
    await cursorAt(30);
    await lens(page, 'Reject…').nth(1).waitFor();
    await screenshot(page, 'chat-to-hunk');
    await toolCard(chat, path).filter({ hasText: 'the fourth line' }).locator('a.file').focus();
    await page.keyboard.press('Enter');
    await cursorAt(4);
  });

  it('go from a line back to the card of the call that wrote it', async () => {
    await line('the fourth line').click();
    await page.keyboard.press('Control+Alt+o');
    const hover = page.locator('.monaco-hover:visible', { hasText: 'Written by the agent in turn 1' });
    await hover.getByText('With this tool call:').waitFor();
    await hover.getByRole('link', { name: 'Show in Chat' }).click();
    const shown = await webview(page, 'Sandpiper Chat');
    await shown.locator('.row:focus').filter({ hasText: 'the fourth line' }).waitFor();
    await screenshot(page, 'hunk-to-chat');
  });

  it('asks why something is rejected, when it is told to, and tells the agent', async () => {
    const input = page.locator('.quick-input-widget:visible');
    const pending = async () => (await stage.client.call('review.list', { sessionId })).review.pending;
    await line('the fourth line').click();
    await page.keyboard.press('Control+Alt+n');
    await input.getByText('The agent is told why').waitFor();
    await screenshot(page, 'reject-reason');
    await page.keyboard.press('Escape');
    await input.waitFor({ state: 'hidden' });
    assert.equal(await pending(), 2);
    await lens(page, 'Reject…').first().click();
    await input.getByText('The agent is told why').waitFor();
    await answerInput(page, 'Ordinals are confusing here');
    await eventually(async () => assert.equal(await pending(), 1));
    await cursorAt(30);
    const { messageId } = await stage.client.call('review.submit', { sessionId });
    const state = await stage.client.call('session.get', { sessionId });
    const message = state.items.find(item => item.kind === 'message' && item.id === messageId);
    assert.ok(message?.kind === 'message');
    assert.match(message.text, /Ordinals are confusing here/);
    await eventually(async () => {
      const { turns, phase } = await stage.client.call('session.get', { sessionId });
      assert.ok(turns.length === 2 && phase.kind === 'idle', JSON.stringify(phase));
    }, TURN_TIMEOUT_MS);
  });

  it('applies from the chat to the files that are open', async () => {
    await press(chat, 'Apply');
    await notification(page, 'Applied all changes to 1 file').waitFor({ timeout: patient(30_000) });
    assert.match(await readFile(join(stage.repository, path), 'utf8'), /the thirtieth line/);
    await screenshot(page, 'chat-applied');
  });
});
