import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, sendMessage, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { told, turnScript } from '../../support/turns.ts';
import { screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

/** Going back to turns, branching and comparing, with mouse and keys; each test goes on where the one before ended. */
describe('the turns of a session', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;
  let sessionId = '';

  const prompt = (turn: number) => `prompt ${turn} @@${JSON.stringify(turnScript(turn))}`;
  const state = () => stage.client.call('session.get', { sessionId });
  const menu = (turn: number) => chat.getByRole('button', { name: `Actions for turn ${turn}` });
  const choose = async (turn: number, entry: string) => {
    await menu(turn).click();
    await chat.getByRole('menuitem', { name: entry, exact: true }).click();
  };
  const dialog = () => page.getByRole('dialog').filter({ has: page.locator('.dialog-message') });
  const quickPick = (label: string) => {
    const whole = new RegExp(String.raw`^\s*${label.replaceAll(/[^\w\s]/g, String.raw`\$&`)}\s*$`);
    const name = page.locator('.label-name', { hasText: whole });
    return page.locator('.quick-input-list .monaco-list-row').filter({ has: name }).first();
  };
  const remembered = () =>
    stage.model
      .lastConversation()
      .map(({ text }) => text)
      .filter(text => /^(prompt|answer) \d+$/.test(text));

  before(async function () {
    this.timeout(240_000);
    stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    page = await stage.openWindow();
    chat = await eventually(() => openChat(page), 70_000);
    await startTask(chat, prompt(1));
    await waitForTurnEnds(chat, 1);
    for (const turn of [2, 3]) {
      await sendMessage(chat, prompt(turn));
      await waitForTurnEnds(chat, turn);
    }
    const { sessions } = await stage.client.call('session.list', {});
    sessionId = sessions[0]?.id ?? '';
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('have a menu that the keyboard and a screen reader can use', async () => {
    await menu(1).focus();
    await page.keyboard.press('Enter');
    const entries = chat.getByRole('menu', { name: 'Actions for turn 1' }).getByRole('menuitem');
    await entries.first().waitFor();
    assert.deepEqual(await entries.allTextContents(), ['Restore…', 'Branch from Here', 'Compare…', 'Open Files…']);
    const focused = (text: string) =>
      eventually(async () => assert.equal(await chat.locator(':focus').textContent({ timeout: 2000 }), text));
    await focused('Restore…');
    await page.keyboard.press('ArrowUp');
    await focused('Open Files…');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await focused('Branch from Here');
    await screenshot(page, 'checkpoints-menu');
    await page.keyboard.press('Escape');
    await entries.first().waitFor({ state: 'detached' });
    await eventually(async () =>
      assert.equal(await chat.locator(':focus').getAttribute('aria-label', { timeout: 2000 }), 'Actions for turn 1'),
    );
  });

  it('are compared in the diff editor', async () => {
    await choose(1, 'Compare…');
    await quickPick('What Is on Offer Now').waitFor();
    await screenshot(page, 'checkpoints-compare-pick');
    await quickPick('Turn 3').click();
    await page.getByRole('tab', { name: /Turn 1 ↔ Turn 3/ }).waitFor();
    await page.locator('.multiDiffEntry').filter({ hasText: '3.txt' }).first().waitFor();
    const header = await page.locator('.multiDiffEntry .header .file-path').first().textContent();
    assert.match(header ?? '', /^2\.txtA?$/, 'no folder is named beside a file of the root');
    await screenshot(page, 'checkpoints-compare');
  });

  it('show their files read-only, also after a reload', async () => {
    await runCommand(page, 'Sandpiper: Open Turn Files…');
    await quickPick('Turn 2').click();
    await quickPick('all.txt').click();
    const tab = page.getByRole('tab', { name: /^all\.txt/ });
    const lines = () => page.locator('.editor-instance .view-lines:visible .view-line').allTextContents();
    await tab.waitFor();
    await eventually(async () => assert.deepEqual(await lines(), ['1', '2', '']), 10_000);
    // Unlike a reload of the page, this writes down which editors are open.
    await runCommand(page, 'Developer: Reload Window');
    await tab.waitFor({ state: 'detached', timeout: patient(60_000) });
    await tab.waitFor({ timeout: patient(60_000) });
    await eventually(async () => assert.deepEqual(await lines(), ['1', '2', '']), 30_000);
    await screenshot(page, 'checkpoints-file');
    chat = await openChat(page);
    await runCommand(page, 'Sandpiper: Open Session…');
    await page.locator('.quick-input-list .monaco-list-row').first().click();
    await waitForText(chat, 'answer 3');
  });

  it('are gone back to after a question in plain words, and the next message goes on from there', async () => {
    await choose(1, 'Restore…');
    await quickPick('Code and Conversation').click();
    await dialog().getByText('Every file in the sandbox becomes what it was at the end of turn 1').waitFor();
    await screenshot(page, 'checkpoints-confirm');
    await dialog().getByRole('button', { name: 'Restore', exact: true }).click();
    await waitForText(chat, 'Code and conversation are restored to the end of turn 1.');
    await chat.getByRole('region', { name: 'Restored' }).waitFor();
    await eventually(async () => assert.equal(await chat.locator('.row.aside .turnEnd').count(), 2));
    await screenshot(page, 'checkpoints-restored');
    await sendMessage(chat, prompt(4));
    await waitForTurnEnds(chat, 4);
    assert.deepEqual(remembered(), told(1, 4));
    await chat.getByRole('region', { name: 'Restored' }).waitFor({ state: 'detached' });
  });

  it('are had back by Undo Restore', async () => {
    await runCommand(page, 'Sandpiper: Undo Restore…');
    await dialog().getByRole('button', { name: 'Undo Restore' }).click();
    await eventually(async () => assert.equal((await state()).restores?.length, 2), 30_000);
    await eventually(async () => assert.equal(await chat.locator('.row.aside .turnEnd').count(), 1));
    const { content } = await stage.client.call('changes.file', { sessionId, side: 'proposed', path: 'all.txt' });
    assert.equal(content, '1\n2\n3\n');
  });

  it('begin a session of their own', async () => {
    await choose(2, 'Branch from Here');
    await waitForText(chat, /Branched from turn 2 of/);
    assert.equal(await chat.getByText('answer 2', { exact: true }).count(), 1);
    assert.equal(await chat.getByText('answer 3', { exact: true }).count(), 0);
    await screenshot(page, 'checkpoints-branch');
    await sendMessage(chat, prompt(5));
    await eventually(() => assert.deepEqual(remembered(), told(1, 2, 5)), 45_000);
    assert.equal((await stage.client.call('session.list', {})).sessions.length, 2);
  });

  it('are compared with a branch of the repository', async () => {
    await runCommand(page, 'Sandpiper: Compare Turns…');
    await quickPick('Turn 1').click();
    await quickPick('A Branch…').click();
    await answerInput(page, 'main');
    await page.getByRole('tab', { name: /main ↔ Turn 1/ }).waitFor();
  });
});
