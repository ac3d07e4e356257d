import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import type { SessionState } from '../../../protocol/session.ts';
import { chatOf, sendMessage, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/freePort.ts';
import { bash, idle } from '../../support/landing.ts';
import { runCommand } from '../../support/palette.ts';
import { patient } from '../../support/patience.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { requireOrSkip } from '../../support/requirement.ts';
import { whyNoBoxes } from '../../support/vendors/box.ts';
import { E2bEmulator } from '../../support/vendors/e2b/e2bEmulator.ts';
import { chooseInMenu, notification, pressInRow, screenshot, statusItem, treeItem } from '../../support/workbench.ts';

const TITLE = 'Write notes';

/** One session that a person takes from this machine to E2B and back; each test goes on where the one before ended. */
describe('moving a session in the editor', function () {
  this.timeout(120_000);
  let e2b: E2bEmulator;
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;
  let sessionId = '';
  let letGo = (): void => {};

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'moving sessions in the editor', why === undefined, why ?? '');
    const port = await freePort();
    e2b = await E2bEmulator.start();
    stage = await openEditorStage({
      env: {
        ...e2b.env,
        SANDPIPER_PUBLIC_URL: `http://127.0.0.1:${port}`,
        SANDPIPER_GATEWAY_PORT: String(port),
        SANDPIPER_SPARE_SANDBOXES: '0',
      },
    });
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    ({ sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Write it down @@${JSON.stringify(bash('echo one > notes.txt; echo later > later.txt'))}`,
      title: TITLE,
      permissionMode: 'autopilot',
    }));
    await eventually(async () => assert.ok(idle(1)(await state())), 60_000);
    await row().click();
    chat = await chatOf(page);
    await waitForTurnEnds(chat, 1);
  });
  after(async () => {
    letGo();
    await stage?.dispose();
    await e2b?.close();
  });
  pictureOfFailure(() => page);
  afterEach(async () => {
    letGo();
    e2b.faults.clear();
    e2b.quota = 100;
    await runCommand(page, 'Notifications: Clear All Notifications');
  });

  const state = (): Promise<SessionState> => stage.client.call('session.get', { sessionId });
  const row = (): Locator => treeItem(page, new RegExp(`^${TITLE},`));
  const choice = (label: string): Locator =>
    page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ has: page.locator('.label-name', { hasText: new RegExp(`^${label}$`) }) });
  const isAt = async (provider: string, turns: number): Promise<void> =>
    eventually(async () => {
      const now = await state();
      assert.equal(now.provider, provider);
      assert.equal(now.moving, undefined);
      assert.ok(idle(turns)(now));
    }, 60_000);
  const askWhere = (): Promise<void> => runCommand(page, 'Sandpiper: Move Session to Another Sandbox…');
  /** E2B takes its time until it is let go of. */
  const hold = (): void => {
    const until = new Promise<void>(resolve => (letGo = resolve));
    e2b.faults.set(/^POST \/v2\/sandboxes$/, { kind: 'hold', until });
  };

  it('offers every other provider with what isolates there, and why one is not ready', async () => {
    await askWhere();
    await choice('E2B').getByText('virtual machine').waitFor();
    await choice('Docker').getByText('not ready').waitFor();
    await treeItem(page, 'notes.txt, File added').waitFor();
    await screenshot(page, 'move-choice');
    assert.equal(await choice('This Machine').count(), 0);
    await page.keyboard.press('Escape');
    assert.equal((await state()).moving, undefined);
  });

  it('goes there from the menu of its row, and shows that it is on its way', async () => {
    hold();
    await chooseInMenu(page, row(), 'Move Session to Another Sandbox…', () => choice('E2B').waitFor({ timeout: 3000 }));
    await choice('E2B').click();
    await waitForText(chat, 'Moving to E2B');
    await treeItem(page, new RegExp(`^${TITLE}, Moving to E2B`)).waitFor();
    await statusItem(page, 'Sandpiper: moving').waitFor();
    await screenshot(page, 'move-under-way');
    letGo();
    await waitForText(chat, 'Moved from this machine to E2B.');
    await isAt('e2b', 1);
    await treeItem(page, new RegExp(`^${TITLE}, Ready to review`)).waitFor();
    await statusItem(page, 'Sandpiper: moving').waitFor({ state: 'detached' });
    await chat.getByText('Virtual machine').waitFor();
    await sendMessage(chat, `Go on @@${JSON.stringify(bash('cat notes.txt later.txt'))}`);
    await waitForTurnEnds(chat, 2);
    await isAt('e2b', 2);
    assert.equal((await state()).items.findLast(item => item.kind === 'tool')?.output?.text, 'one\nlater');
    await screenshot(page, 'move-done');
  });

  it('asks before it stops a turn, but not for a place that is not ready, and goes when that is agreed to', async () => {
    await sendMessage(chat, `Wait @@${JSON.stringify(bash('echo begun > begun.txt; tail -f /dev/null'))}`);
    await eventually(async () => {
      assert.ok((await state()).items.some(item => item.kind === 'tool' && item.state === 'running'));
    }, 45_000);
    await askWhere();
    await choice('Docker').click();
    const refused = notification(page, 'No Docker engine was found');
    await refused.getByRole('button', { name: 'Retry' }).waitFor({ timeout: patient(30_000) });
    assert.equal(await refused.getByRole('button', { name: 'Copy Install Command' }).count(), 0);
    await screenshot(page, 'move-not-ready');

    const dialog = page.locator('.monaco-dialog-box');
    const question = dialog.getByText('Stop the turn and move to This Machine?');
    await askWhere();
    await choice('This Machine').click();
    await question.waitFor();
    await screenshot(page, 'move-stop-question');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    assert.equal((await state()).phase.kind, 'working');

    await askWhere();
    await choice('This Machine').click();
    await dialog.getByRole('button', { name: 'Stop and Move' }).click();
    await waitForText(chat, 'Moved from E2B to this machine.');
    await isAt('local', 3);
    assert.equal((await state()).turns[2]?.agent?.outcome, 'stopped');
    await screenshot(page, 'move-stopped');
  });

  it('is stopped where a turn is, stays, and that is no failure', async () => {
    hold();
    await askWhere();
    await choice('E2B').click();
    await waitForText(chat, 'Moving to E2B');
    await pressInRow(row(), 'Stop Turn', async () => assert.equal((await state()).moving, undefined));
    letGo();
    await waitForText(chat, 'Not moved to E2B: You stopped it.');
    await isAt('local', 3);
    await statusItem(page, 'Sandpiper: moving').waitFor({ state: 'detached' });
    await screenshot(page, 'move-given-up');
    assert.equal(await page.locator('.notification-toast').count(), 0);
  });

  it('says why it failed, in the chat and beside it, and where the session is', async () => {
    e2b.quota = 0;
    await askWhere();
    await choice('E2B').click();
    await notification(page, 'Not moved to E2B').waitFor({ timeout: patient(30_000) });
    await waitForText(chat, 'The session is still on this machine.');
    await isAt('local', 3);
    await screenshot(page, 'move-failed');
  });
});
