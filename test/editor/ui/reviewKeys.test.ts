import assert from 'node:assert/strict';
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
import { screenshot, statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const FIRST = [write('a.txt', lines()), write('b.txt', lines()), 'echo {} > package.json'].join(' && ');
const SECOND = [
  write('a.txt', lines({ 5: 'five', 15: 'fifteen', 25: 'twenty-five', 35: 'thirty-five' })),
  write('b.txt', lines({ 10: 'ten', 30: 'thirty' })),
  `echo '{"scripts":{"postinstall":"sh run.sh"}}' > package.json`,
].join(' && ');
const text = (changes: Record<number, string>): string => `${lines(changes).join('\n')}\n`;

/** One review with the keyboard, from the tree and over a reload; each test goes on where the one before ended. */
describe('a review without a mouse', function () {
  this.timeout(45_000);
  let review: ReviewStage;
  let page: Page;

  before(async function () {
    this.timeout(150_000);
    review = await openReviewStage([FIRST, SECOND]);
    ({ page } = review);
  });
  after(() => review?.stage.dispose());
  pictureOfFailure(() => page);

  const counts = async (): Promise<string> => {
    const { pending, reviewed } = (await review.review()).review;
    return `${reviewed} of ${reviewed + pending}`;
  };
  const cursorAt = (line: number): Promise<void> =>
    page.locator('.part.statusbar').getByText(`Ln ${line}, Col 1`).waitFor();

  it('goes from change to change, and decides where the cursor is', async () => {
    await openChanges(review);
    await lens(diffOf(page, 'a.txt'), 'Accept')
      .first()
      .waitFor({ timeout: patient(30_000) });
    // The editor itself goes to the first change when it opens.
    await cursorAt(5);
    await page.keyboard.press('Alt+F5');
    await page.keyboard.press('Alt+F5');
    await cursorAt(25);
    await page.keyboard.press('Shift+Alt+F5');
    await page.keyboard.press('Shift+Alt+F5');
    await cursorAt(5);
    await page.keyboard.press('Control+Y');
    await eventually(async () => assert.equal(await review.content('accepted', 'a.txt'), text({ 5: 'five' })));
    await cursorAt(15);
    await page.keyboard.press('Control+N');
    await eventually(async () =>
      assert.equal(
        await review.content('proposed', 'a.txt'),
        text({ 5: 'five', 25: 'twenty-five', 35: 'thirty-five' }),
      ),
    );
    await cursorAt(25);
  });

  it('takes the rest of a file at once, and the last decision back', async () => {
    await page.keyboard.press('Control+Shift+Y');
    await eventually(async () => assert.match(await review.content('accepted', 'a.txt'), /thirty-five/));
    await cursorAt(10);
    await page.keyboard.press('Control+Alt+Z');
    await eventually(async () => assert.equal(await review.content('accepted', 'a.txt'), text({ 5: 'five' })));
    await cursorAt(25);
  });

  it('says how far it is in the list of changes, the status bar and the chat', async () => {
    const far = await counts();
    await statusItem(page, `Sandpiper: ${far} reviewed`).waitFor();
    await review.chat.getByText(`${far} reviewed`).waitFor();
    await runCommand(page, 'Sandpiper: Focus on Changes View');
    await treeItem(page, 'a.txt, 2 changes').waitFor();
    await treeItem(page, 'package.json, 1 change, sensitive').waitFor();
    await screenshot(page, 'review-tree');
  });

  it('lists the same changes by turn and by tool call', async () => {
    await runCommand(page, 'Sandpiper: Show Changes by Turn');
    await treeItem(page, /^Turn 2, .*, 3 files$/).waitFor();
    await runCommand(page, 'Sandpiper: Show Changes by Tool Call');
    await treeItem(page, /^By no file tool/).waitFor();
    await runCommand(page, 'Sandpiper: Show Changes by File');
    await treeItem(page, 'b.txt, 2 changes').waitFor();
  });

  it('is the same after the window was loaded anew', async function () {
    this.timeout(150_000);
    await page.reload();
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: patient(60_000) });
    await lens(diffOf(page, 'a.txt'), 'Accept')
      .first()
      .waitFor({ timeout: patient(90_000) });
    await eventually(async () => assert.equal(await lens(diffOf(page, 'a.txt'), 'Accept').count(), 2));
  });

  it('follows what another window decides', async () => {
    const { files, accepted, proposed } = await review.review();
    const hunk = files.find(({ path }) => path === 'a.txt')?.hunks[0]?.id ?? '';
    await review.stage.client.call('review.decide', {
      sessionId: review.sessionId,
      verdict: 'accept',
      files: [{ path: 'a.txt', hunks: [hunk] }],
      expected: { accepted, proposed },
    });
    await eventually(async () => assert.equal(await lens(diffOf(page, 'a.txt'), 'Accept').count(), 1));
  });

  it('opens again only what a new turn changed', async () => {
    const before = await review.review();
    await review.turn(write('b.txt', lines({ 10: 'ten', 20: 'twenty', 30: 'thirty' })));
    await eventually(async () => {
      const { files } = await review.review();
      assert.equal(files.find(({ path }) => path === 'b.txt')?.hunks.length, 3);
      assert.deepEqual(files[0]?.hunks, before.files[0]?.hunks);
    });
    await eventually(async () => assert.equal(await lens(diffOf(page, 'a.txt'), 'Accept').count(), 1));
    await diffOf(page, 'b.txt').getByText('3 changes pending').waitFor();
  });

  it('accepts all, and asks about each sensitive file with the reason', async () => {
    // The diff of before would be taken for the one that is about to open.
    await runCommand(page, 'View: Close All Editors');
    await page.locator('.multiDiffEntry:visible').first().waitFor({ state: 'detached' });
    await openChanges(review);
    await runCommand(page, 'Sandpiper: Accept All Changes');
    const dialog = page.getByRole('dialog').filter({ hasText: 'Accept package.json?' });
    await dialog.waitFor();
    await screenshot(page, 'review-sensitive');
    await dialog.getByRole('button', { name: 'Accept', exact: true }).click();
    await eventually(async () => assert.equal((await review.review()).review.pending, 0));
    await eventually(async () => assert.equal(await page.locator('.multiDiffEntry:visible').count(), 0));
  });
});
