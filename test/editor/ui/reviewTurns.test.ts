import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.ts';
import { runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import {
  diffOf,
  lens,
  lines,
  openChanges,
  openReviewStage,
  write,
  type ReviewStage,
} from '../../support/reviewStage.ts';
import { notification, pressInRow, screenshot, statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const long = (word: string): string[] => Array.from({ length: 30 }, (_, index) => `${word} ${index}`);
const FIRST = [
  write('list.txt', lines()),
  write('old name.txt', long('row')).replace('> old name.txt', "> 'old name.txt'"),
  String.raw`printf 'a\000b' > data.bin`,
].join(' && ');
const SECOND = [
  write('list.txt', lines({ 5: 'five', 20: 'twenty' })),
  "mv 'old name.txt' 'new name.txt'",
  String.raw`printf 'a\000c' > data.bin`,
].join(' && ');
const text = (changes: Record<number, string>): string => `${lines(changes).join('\n')}\n`;

/** What happens beside plain hunks in one window; each test goes on where the one before ended. */
describe('a review over turns and windows', function () {
  this.timeout(60_000);
  this.bail(true);
  let review: ReviewStage;
  let page: Page;

  before(async function () {
    this.timeout(180_000);
    review = await openReviewStage([FIRST, SECOND], { 'files.autoSave': 'off' });
    ({ page } = review);
  });
  after(() => review?.stage.dispose());
  pictureOfFailure(() => page);

  const fileOf = async (path: string) => (await review.review()).files.find(file => file.path === path);

  it('shows a renamed file as one, and names a binary that has no diff', async () => {
    await openChanges(review);
    await diffOf(page, 'new name.txt')
      .getByText('Renamed from old name.txt')
      .waitFor({ timeout: patient(30_000) });
    await notification(page, '1 binary file cannot be shown as a diff: data.bin').waitFor();
    await screenshot(page, 'review-renamed');
    await lens(diffOf(page, 'new name.txt'), 'Accept').first().click();
    await eventually(async () =>
      assert.equal(await review.content('accepted', 'new name.txt'), `${long('row').join('\n')}\n`),
    );
    assert.equal(await fileOf('new name.txt'), undefined);
  });

  it('decides on a binary in the list of changes', async () => {
    await runCommand(page, 'Sandpiper: Focus on Changes View');
    const row = treeItem(page, /^data\.bin/);
    const tabs = () => page.locator('.tabs-container .tab').allInnerTexts();
    const before = await tabs();
    await pressInRow(row, /^Accept File/, async () => assert.equal(await fileOf('data.bin'), undefined));
    await row.waitFor({ state: 'detached' });
    await page.getByText('Sandpiper: data.bin accepted').waitFor();
    await runCommand(page, 'Sandpiper: Focus on Changes View');
    assert.deepEqual(await tabs(), before, 'the person stays in the list');
  });

  it('lists the new files of a turn in the diff that is open', async () => {
    await openChanges(review);
    await diffOf(page, 'list.txt')
      .locator('.editor.modified .view-line', { hasText: /^five$/ })
      .click();
    await review.turn('echo one > added.txt && echo two > another.txt');
    await diffOf(page, 'added.txt')
      .getByText('File added')
      .waitFor({ timeout: patient(30_000) });
    await diffOf(page, 'another.txt').getByText('File added').waitFor();
    await lens(diffOf(page, 'list.txt'), 'Accept').first().waitFor();
    await screenshot(page, 'review-new-files');
  });

  it('shows both versions of a conflict, and takes the one that is chosen', async () => {
    const { blob } = await review.stage.client.call('changes.file', {
      sessionId: review.sessionId,
      side: 'proposed',
      path: 'list.txt',
    });
    await review.stage.client.call('review.edit', {
      sessionId: review.sessionId,
      path: 'list.txt',
      content: Buffer.from(text({ 5: 'mine', 20: 'twenty' })).toString('base64'),
      expected: blob,
    });
    await review.turn(write('list.txt', lines({ 5: 'theirs', 20: 'twenty' })));
    const diff = diffOf(page, 'list.txt');
    await diff.getByText('Conflict: yours is shown').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'review-conflict');
    await lens(diff, 'Compare With Agent').click();
    await page.locator('.tab.active', { hasText: 'list.txt (the agent’s ↔ yours)' }).waitFor();
    await page.locator('.view-line:visible', { hasText: 'theirs' }).first().waitFor();
    await runCommand(page, 'View: Close Editor');
    await lens(diffOf(page, 'list.txt'), 'Take Theirs').click();
    await eventually(async () =>
      assert.equal(await review.content('proposed', 'list.txt'), text({ 5: 'theirs', 20: 'twenty' })),
    );
    await diffOf(page, 'list.txt').getByText('Conflict:').waitFor({ state: 'detached' });
  });

  it('is the same in a second window, side by side there, and each follows the other', async function () {
    this.timeout(150_000);
    const folder = join(review.stage.repository, '.vscode');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'settings.json'), JSON.stringify({ 'diffEditor.renderSideBySide': true }));
    const other = await review.stage.openWindow();
    await runCommand(other, 'Sandpiper: Reconnect to Relay');
    await statusItem(other, /Sandpiper/)
      .first()
      .waitFor();
    await runCommand(other, 'Sandpiper: Open Changes');
    const choice = other.locator('.quick-input-list .monaco-list-row', { hasText: 'Write numbers as words' });
    const diff = diffOf(other, 'list.txt');
    await choice.or(diff).first().waitFor();
    if (await choice.isVisible()) {
      await choice.click();
    }
    await lens(diff, 'Accept')
      .first()
      .waitFor({ timeout: patient(60_000) });
    await diff.locator('.side-by-side').first().waitFor();
    await screenshot(other, 'review-side-by-side');
    await lens(diff, 'Accept').first().click();
    await eventually(async () => assert.equal(await review.content('accepted', 'list.txt'), text({ 5: 'theirs' })));
    await eventually(async () => assert.equal(await lens(diffOf(page, 'list.txt'), 'Accept').count(), 1));
    await lens(diffOf(page, 'list.txt'), 'Accept').click();
    await eventually(async () => assert.equal(await lens(diff, 'Accept').count(), 0));
    await other.context().close();
  });

  it('puts all back at once, after asking, and takes that back', async () => {
    await runCommand(page, 'Sandpiper: Reject All Changes…');
    const dialog = page.getByRole('dialog').filter({ hasText: 'Reject 2 pending changes in 2 files?' });
    await dialog.getByRole('button', { name: 'Reject All' }).click();
    await eventually(async () => assert.equal((await review.review()).review.pending, 0));
    await page.locator('.multiDiffEntry:visible').first().waitFor({ state: 'detached' });
    await review.stage.client.call('review.undo', { sessionId: review.sessionId });
    assert.equal(await review.content('proposed', 'added.txt'), 'one\n');
  });
});
