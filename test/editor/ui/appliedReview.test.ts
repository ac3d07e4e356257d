import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { bash, idle } from '../../support/landing.ts';
import { runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { plainGit } from '../../support/plainGit.ts';
import { lines, write } from '../../support/reviewStage.ts';
import { notification, pressInRow, screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const CHANGE = [
  write('list.txt', lines({ 5: 'five', 20: 'twenty', 35: 'thirty-five' })),
  'echo new > new.txt',
  'rm gone.txt',
].join(' && ');
const text = (changes: Record<number, string>): string => `${lines(changes).join('\n')}\n`;
const APPLIED = { 5: 'five', 20: 'twenty', 35: 'thirty-five' };
const THEMES = ['hc-light', 'hc-black', 'vs', 'vs-dark'] as const;
const THEME_NAMES = {
  'hc-light': 'Default High Contrast Light',
  'hc-black': 'Default High Contrast',
  vs: 'Default Light Modern',
  'vs-dark': 'Default Dark Modern',
};

/** Decisions in the user's own files after an apply; each test goes on where the one before ended. */
describe('a review in the files that it was applied to', function () {
  this.timeout(90_000);
  this.bail(true);
  let stage: EditorStage;
  let page: Page;
  let sessionId = '';

  before(async function () {
    this.timeout(180_000);
    stage = await openEditorStage({ settings: { 'files.autoSave': 'off' } });
    await writeFile(file('list.txt'), text({}));
    await writeFile(file('gone.txt'), 'old\n');
    await plainGit(stage.repository, ['add', '-A']);
    await plainGit(stage.repository, ['commit', '-qm', 'lines']);
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(15_000));
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    ({ sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Please do this: @@${JSON.stringify(bash(CHANGE))}`,
      title: 'Number words',
      permissionMode: 'autopilot',
    }));
    await eventually(async () => {
      assert.ok(idle(1)(await stage.client.call('session.get', { sessionId })));
    }, 60_000);
    await runCommand(page, 'Sandpiper: Apply to Workspace');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Number words' }).first().click();
    await notification(page, 'Applied all changes to 3 files').waitFor({ timeout: patient(30_000) });
    await runCommand(page, 'Notifications: Clear All Notifications');
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  function file(path: string): string {
    return join(stage.repository, path);
  }
  const read = (path: string) => readFile(file(path), 'utf8');
  const side = async (which: 'accepted' | 'proposed', path: string): Promise<string> =>
    (await stage.client.call('changes.file', { sessionId, side: which, path })).content;
  const open = async (path: string): Promise<void> => {
    await page.keyboard.press('Control+P');
    await writeInput(page, path);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: path }).first().click();
    await page.locator('.tab.active', { hasText: path }).waitFor();
  };
  const settings = async (values: Record<string, string>): Promise<void> => {
    await mkdir(join(stage.repository, '.vscode'), { recursive: true });
    await writeFile(file('.vscode/settings.json'), JSON.stringify(values));
  };
  /** Puts the cursor on a line of the active editor. */
  const goTo = async (line: number): Promise<void> => {
    await eventually(async () => {
      // A peek that is open has an editor of its own.
      await page.keyboard.press('Escape');
      await page.locator('.editor-instance .view-line').first().click();
      await page.keyboard.press('Control+G');
      await writeInput(page, `:${line}`, 2000);
      await page.keyboard.press('Enter');
      await page.locator('.part.statusbar').getByText(`Ln ${line}, Col 1`).waitFor({ timeout: 2000 });
    }, 20_000);
  };
  /** The change at the cursor, once the editor knows of one. */
  const openPeek = async (): Promise<void> => {
    await page.locator('.dirty-diff-glyph:visible').first().waitFor();
    await eventually(async () => {
      await page.keyboard.press('Alt+F3');
      await peek().waitFor({ timeout: 2000 });
    });
  };
  const peek = () => page.locator('.peekview-widget');
  // The editor hides its peeks from the tree of roles.
  const peekButton = (verdict: string) => peek().locator(`.action-label[aria-label^="${verdict} Applied Change"]`);
  /** Ours; Git lists the same files with words of its own. */
  const row = (path: string) =>
    page
      .locator('.scm-view .resource')
      .and(page.locator('[data-tooltip$="pending"], [data-tooltip^="File "]'))
      .filter({ hasText: path });

  it('are listed in source control as long as something in them is pending', async () => {
    await page.getByRole('tab', { name: /^Source Control/ }).click();
    await page.locator('.scm-view').getByText('Applied, Not Reviewed').waitFor();
    for (const path of ['list.txt', 'new.txt', 'gone.txt']) {
      await row(path).waitFor();
    }
    await screenshot(page, 'applied-source-control');
  });

  it('take a change from the peek beside its line, and leave the file alone', async () => {
    await open('list.txt');
    await goTo(5);
    await openPeek();
    await screenshot(page, 'applied-peek');
    await peekButton('Accept').click();
    await eventually(async () => assert.equal(await side('accepted', 'list.txt'), text({ 5: 'five' })));
    assert.equal(await read('list.txt'), text(APPLIED));
  });

  it('can be read in every theme', async () => {
    await goTo(20);
    await openPeek();
    for (const body of THEMES) {
      await settings({ 'workbench.colorTheme': THEME_NAMES[body] });
      await page.locator(`.monaco-workbench.${body}`).waitFor();
      await screenshot(page, `applied-peek-${body}`);
    }
  });

  it('say on hover which session wrote a line that was applied', async () => {
    await goTo(20);
    await page.keyboard.press('Control+Alt+o');
    const hover = page.locator('.monaco-hover:visible', { hasText: 'Written by the agent in turn 1' });
    await hover.getByText('Applied here from "Number words".').waitFor();
    await screenshot(page, 'applied-origin');
    await page.keyboard.press('Escape');
    await page.locator('.editor-instance .view-line', { hasText: 'thirty-five' }).hover({ position: { x: 30, y: 8 } });
    await page.locator('.monaco-hover:visible', { hasText: 'Applied here from' }).waitFor();
  });

  it('refuse to decide on lines that are the person’s own, and say so', async () => {
    await goTo(12);
    await page.keyboard.press('End');
    await page.keyboard.type(' mine');
    await page.keyboard.press('Control+S');
    await page.locator('.tab.active:not(.dirty)', { hasText: 'list.txt' }).waitFor();
    await runCommand(page, 'Sandpiper: Reject Applied Change');
    await notification(page, 'is not what the session proposes').waitFor();
    await screenshot(page, 'applied-refused');
    await runCommand(page, 'Notifications: Clear All Notifications');
    assert.equal(await read('list.txt'), text({ ...APPLIED, 12: 'line 12 mine' }));
  });

  it('reject a change from the peek: it leaves the review and the file, and nothing else changes', async () => {
    await goTo(20);
    await openPeek();
    await peekButton('Reject').click();
    await eventually(async () =>
      assert.equal(await side('proposed', 'list.txt'), text({ 5: 'five', 35: 'thirty-five' })),
    );
    await eventually(async () =>
      assert.equal(await read('list.txt'), text({ 5: 'five', 12: 'line 12 mine', 35: 'thirty-five' })),
    );
    await runCommand(page, 'Sandpiper: Undo Apply');
    await notification(page, 'Undid "Reject in list.txt" in 1 file').waitFor();
    await eventually(async () => assert.equal(await read('list.txt'), text({ ...APPLIED, 12: 'line 12 mine' })));
    await runCommand(page, 'Notifications: Clear All Notifications');
  });

  it('change unsaved text in its editor and not on disk', async () => {
    await goTo(1);
    await page.keyboard.type('typed ');
    await goTo(35);
    await runCommand(page, 'Sandpiper: Reject Applied Change');
    await eventually(async () => assert.equal(await side('proposed', 'list.txt'), text({ 5: 'five' })));
    await page.locator('.editor-instance .view-line', { hasText: /^line\s35$/ }).waitFor();
    await page.locator('.tab.active.dirty', { hasText: 'list.txt' }).waitFor();
    assert.equal(await read('list.txt'), text({ ...APPLIED, 12: 'line 12 mine' }));
    await page.keyboard.press('Control+S');
    const saved = { 1: 'typed line 1', 5: 'five', 12: 'line 12 mine', 20: 'twenty' };
    await eventually(async () => assert.equal(await read('list.txt'), text(saved)));
  });

  it('decide on whole files from their rows', async () => {
    await row('list.txt').waitFor({ state: 'detached' });
    await pressInRow(row('new.txt'), 'Reject Applied Change', () => assert.equal(existsSync(file('new.txt')), false));
    await pressInRow(row('gone.txt'), 'Reject Applied Change', async () =>
      assert.equal(await read('gone.txt'), 'old\n'),
    );
    await page.locator('.scm-view').getByText('Applied, Not Reviewed').waitFor({ state: 'detached' });
    const { review } = await stage.client.call('review.list', { sessionId });
    assert.equal(review.pending, 0);
  });

  it('still say it when they are committed with the name of the session, and the apply is forgotten', async () => {
    const message = `Number words\n\nSandpiper-Session: ${sessionId}\n`;
    await plainGit(stage.repository, ['commit', '-qam', message]);
    await open('list.txt');
    await goTo(5);
    await runCommand(page, 'Sandpiper: Show Line Origin');
    const hover = page.locator('.monaco-hover:visible', { hasText: 'Written by the agent in turn 1' });
    await hover.getByText('Accepted by').waitFor();
    await goTo(7);
    await runCommand(page, 'Sandpiper: Show Line Origin');
    await notification(page, 'No session is known to have written this line').waitFor();
    await stage.client.call('session.delete', { sessionId, force: true });
    await goTo(5);
    await eventually(async () => {
      await runCommand(page, 'Sandpiper: Show Line Origin');
      await page.locator('.monaco-hover:visible', { hasText: 'Landed with commit' }).waitFor({ timeout: 3000 });
    }, 20_000);
    await screenshot(page, 'landed-origin');
  });
});
