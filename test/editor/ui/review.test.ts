import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
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
import { notification, screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const FIRST = [write('list.txt', lines()), write('notes.txt', lines()), 'echo old > gone.txt'].join(' && ');
const SECOND = [
  write('list.txt', lines({ 2: 'TWO', 20: 'TWENTY', 38: 'THIRTY-EIGHT' })),
  write('notes.txt', lines({ 10: 'ten', 30: 'thirty' })),
  'rm gone.txt',
  'echo hello > new.txt',
].join(' && ');
const text = (changes: Record<number, string>): string => `${lines(changes).join('\n')}\n`;

/** By label, with the class that the window has then; the last stays. */
const THEMES = [
  ['Light High Contrast', 'hc-light'],
  ['Dark High Contrast', 'hc-black'],
  ['Light Modern', 'vs'],
  ['Dark Modern', 'vs-dark'],
] as const;

/** One review with the mouse; each test goes on where the one before ended. */
describe('a review in the editor', function () {
  this.timeout(45_000);
  let review: ReviewStage;
  let page: Page;

  before(async function () {
    this.timeout(150_000);
    review = await openReviewStage([FIRST, SECOND], { 'files.autoSave': 'off' });
    ({ page } = review);
  });
  after(() => review?.stage.dispose());
  pictureOfFailure(() => page);

  const hunksOf = async (path: string): Promise<number> => {
    const { files } = await review.review();
    return files.find(file => file.path === path)?.hunks.length ?? 0;
  };
  const untilHunks = (path: string, count: number): Promise<void> =>
    eventually(async () => assert.equal(await hunksOf(path), count));
  const untilLenses = (path: string, title: string, count: number): Promise<void> =>
    eventually(async () => assert.equal(await lens(diffOf(page, path), title).count(), count));

  it('offers what can be decided above every change of every file', async () => {
    await openChanges(review);
    await lens(diffOf(page, 'list.txt'), 'Accept')
      .first()
      .waitFor({ timeout: patient(30_000) });
    await untilLenses('list.txt', 'Accept', 3);
    await diffOf(page, 'list.txt').getByText('3 changes pending').waitFor();
    await diffOf(page, 'gone.txt').getByText('File deleted').waitFor();
    await diffOf(page, 'new.txt').getByText('File added').waitFor();
    await screenshot(page, 'review-open');
  });

  it('can be read in every theme', async () => {
    for (const [theme, body] of THEMES) {
      await runCommand(page, 'Preferences: Color Theme');
      await answerInput(page, theme);
      await page.locator(`.monaco-workbench.${body}`).waitFor();
      await lens(diffOf(page, 'list.txt'), 'Accept').first().waitFor();
      await screenshot(page, `review-${body}`);
      await screenshot(page.locator('.part.editor'), `review-editor-${body}`);
    }
  });

  it('takes a change, and the cursor is on the next', async () => {
    await lens(diffOf(page, 'list.txt'), 'Accept').first().click();
    await untilHunks('list.txt', 2);
    assert.equal(await review.content('accepted', 'list.txt'), text({ 2: 'TWO' }));
    await untilLenses('list.txt', 'Accept', 2);
    await page.locator('.part.statusbar').getByText('Ln 20, Col 1').waitFor();
  });

  it('puts back what is rejected, in sight', async () => {
    await lens(diffOf(page, 'list.txt'), 'Reject').first().click();
    await untilHunks('list.txt', 1);
    assert.equal(await review.content('proposed', 'list.txt'), text({ 2: 'TWO', 38: 'THIRTY-EIGHT' }));
    await eventually(async () =>
      assert.equal(await diffOf(page, 'list.txt').locator('.view-line', { hasText: 'TWENTY' }).count(), 0),
    );
    await page.locator('.part.statusbar').getByText('Ln 38, Col 1').waitFor();
  });

  it('goes on to the next file with the last change of one', async () => {
    await untilLenses('list.txt', 'Accept', 1);
    await lens(diffOf(page, 'list.txt'), 'Accept').click();
    await untilHunks('list.txt', 0);
    await diffOf(page, 'new.txt').getByText('hello').waitFor();
    await page.locator('.part.statusbar').getByText('Ln 1, Col 1').waitFor();
    await eventually(async () => assert.match(await focusedFile(page), /new\.txt/));
  });

  it('takes a deleted and an added file as a whole', async () => {
    await lens(diffOf(page, 'new.txt'), 'Accept').click();
    await eventually(async () => assert.equal(await review.content('accepted', 'new.txt'), 'hello\n'));
    await page.locator('.part.statusbar').getByText('Ln 10, Col 1').waitFor();
    // Back over two files that are decided.
    await page.keyboard.press('Shift+Alt+F5');
    await lens(diffOf(page, 'gone.txt'), 'Reject').click();
    await eventually(async () => assert.equal(await review.content('proposed', 'gone.txt'), 'old\n'));
  });

  it('shows what was decided as no change any more', async () => {
    for (const path of ['list.txt', 'new.txt', 'gone.txt']) {
      await untilLenses(path, 'Accept', 0);
    }
    await screenshot(page, 'review-half');
  });

  it('makes what is typed on the right side a part of the review', async () => {
    const line = diffOf(page, 'notes.txt')
      .locator('.modified-in-monaco-diff-editor, .editor.modified')
      .locator('.view-line', { hasText: /^thirty$/ });
    await line.click();
    await page.keyboard.press('End');
    await page.keyboard.type(' and one');
    await page.keyboard.press('Control+S');
    await eventually(async () =>
      assert.equal(await review.content('proposed', 'notes.txt'), text({ 10: 'ten', 30: 'thirty and one' })),
    );
    await untilLenses('notes.txt', 'Accept', 2);
    const { review: counts } = await review.review();
    assert.equal(counts.pending, 2, 'saving all files of the diff changes none of the others');
  });

  it('takes decisions back, the last one first', async () => {
    await runCommand(page, 'Sandpiper: Undo Review Decision');
    await eventually(async () =>
      assert.equal(await review.content('proposed', 'notes.txt'), text({ 10: 'ten', 30: 'thirty' })),
    );
    await runCommand(page, 'Sandpiper: Undo Review Decision');
    await eventually(async () => assert.equal(await review.content('proposed', 'gone.txt'), ''));
    await eventually(async () => assert.match(await focusedFile(page), /gone\.txt/));
    await diffOf(page, 'gone.txt').getByText('File deleted').waitFor();
  });

  it('refuses to save over what another reviewer did, and loses no text', async () => {
    const notes = diffOf(page, 'notes.txt');
    await notes.locator('.view-line', { hasText: /^ten$/ }).first().click();
    await page.keyboard.press('End');
    await page.keyboard.type(' mine');
    const { files, accepted, proposed } = await review.review();
    const hunk = files.find(({ path }) => path === 'notes.txt')?.hunks[1]?.id ?? '';
    await review.stage.client.call('review.decide', {
      sessionId: review.sessionId,
      verdict: 'reject',
      files: [{ path: 'notes.txt', hunks: [hunk] }],
      expected: { accepted, proposed },
    });
    await page.keyboard.press('Control+S');
    await notification(page, 'while you edited it').waitFor();
    await screenshot(page, 'review-stale-save');
    assert.equal(await review.content('proposed', 'notes.txt'), text({ 10: 'ten' }));
    await notes.locator('.view-line', { hasText: 'ten mine' }).first().waitFor();
    await notification(page, 'while you edited it').getByRole('button', { name: 'Overwrite' }).click();
    await eventually(async () =>
      assert.equal(await review.content('proposed', 'notes.txt'), text({ 10: 'ten mine', 30: 'thirty' })),
    );
  });
});

/** The file of a diff of many whose editor has the focus. */
async function focusedFile(page: Page): Promise<string> {
  const focused = page.locator('.multiDiffEntry').filter({ has: page.locator('.monaco-editor.focused') });
  return (await focused.locator('.file-path').first().textContent({ timeout: 1000 })) ?? '';
}
