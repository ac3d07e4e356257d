import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { chatOf, press } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { command, specText, turn } from '../../support/specs.ts';
import { screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const TEXT = specText(
  'A greeting',
  {
    'Greets people': [command('grep hello greeting.txt')],
    'Has its file': [{ kind: 'file', path: 'greeting.txt' }],
  },
  [...turn('echo wrong > greeting.txt'), ...turn('echo hello > greeting.txt')],
);

/** A spec from a template to the pull request; each test goes on where the one before ended. */
describe('a spec in the editor', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async () => {
    stage = await openEditorStage({ settings: { 'files.autoSave': 'off' } });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const choose = (label: string) =>
    page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ has: page.locator('.label-name', { hasText: label }) })
      .first()
      .click();
  const lens = (text: string | RegExp) => page.locator('.codelens-decoration', { hasText: text }).first();
  const specs = async () => (await stage.client.call('spec.list', {})).specs;

  /** Puts another text in the place of all that the active editor has. */
  async function replaceText(text: string): Promise<void> {
    await page.locator('.monaco-editor .view-lines').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  }

  it('begins with a template, as a document', async () => {
    await runCommand(page, 'Sandpiper: New Spec…');
    await choose('Fix an issue');
    await choose('Node.js, TypeScript');
    await page.getByRole('tab', { name: /Fix an issue\.md/ }).waitFor({ timeout: patient(60_000) });
    await lens('Build').waitFor();
    await lens('Run Checks').waitFor();
    assert.equal((await specs())[0]?.title, 'Fix an issue');
  });

  it('is edited and saved as the next revision; a bad line is marked and can still be saved', async () => {
    await replaceText('# Broken\n\n## Item\n');
    await lens('not as a spec is written').waitFor();
    await page.keyboard.press('Control+S');
    await eventually(async () =>
      assert.deepEqual(
        (await specs())[0]?.problems.map(({ line }) => line),
        [3],
      ),
    );
    await replaceText(TEXT);
    await page.keyboard.press('Control+S');
    await eventually(async () => assert.equal((await specs())[0]?.title, 'A greeting'));
    const [spec] = await specs();
    assert.deepEqual([spec?.revision, spec?.problems], [3, []]);
    const stored = await stage.client.call('spec.get', { specId: spec?.specId ?? '' });
    assert.equal(stored.text, TEXT);
    await lens('Build').waitFor();
  });

  it('refuses a save over what somebody else wrote, and offers to compare', async () => {
    const [spec] = await specs();
    const specId = spec?.specId ?? '';
    // A text that is as it was saved would follow theirs.
    await page.locator('.monaco-editor .view-lines').first().click();
    await page.keyboard.press('Control+End');
    await page.keyboard.insertText('\n');
    await page.locator('.tab.active.dirty').waitFor();
    await stage.client.call('spec.save', { specId, expectedRevision: 3, text: TEXT.replace('A greeting', 'Theirs') });
    await page.keyboard.press('Control+S');
    const question = page.locator('.notification-list-item', { hasText: 'was saved by somebody else' }).first();
    await question.waitFor();
    assert.equal((await specs())[0]?.revision, 4, 'nothing was written over');
    await question.getByRole('button', { name: 'Overwrite' }).click();
    await eventually(async () => {
      const [now] = await specs();
      assert.deepEqual([now?.revision, now?.title], [5, 'A greeting']);
    });
  });

  it('is built until its checks pass, and the chat and the lenses show the evidence', async () => {
    await lens('Build').locator('a', { hasText: 'Build' }).click();
    await choose('In a new session, without asking');
    chat = await chatOf(page);
    const card = chat.locator('details', { hasText: 'A greeting' }).first();
    await card.getByText('All checks pass').waitFor({ timeout: patient(60_000) });
    await card.getByText('All checks pass').click();
    await card.getByText('grep hello greeting.txt').waitFor();
    await card.getByText('What it printed').first().click();
    await card.locator('pre', { hasText: 'hello' }).first().waitFor();
    await lens('Passes').waitFor();
    await lens('All checks pass').waitFor();
    const { sessions } = await stage.client.call('session.list', {});
    assert.equal(sessions[0]?.spec?.outcome, 'passed');
    await screenshot(page, 'spec-built-light');
    await runCommand(page, 'Preferences: Toggle between Light/Dark Themes');
    await page.locator('.monaco-workbench.vs-dark').first().waitFor();
    await screenshot(page, 'spec-built-dark');
  });

  it('lands with the evidence in the pull request', async () => {
    await press(chat, 'Create Pull Request');
    await chat.getByRole('button', { name: 'Pull Request #1' }).waitFor({ timeout: patient(60_000) });
    const [pullRequest] = stage.github.pullRequests();
    const body = pullRequest?.body ?? '';
    assert.match(body, /## Spec\n\n\*\*A greeting\*\* \(revision 5\)\. Checked by Sandpiper after turn 2/);
    assert.match(body, /✅ 1\. Greets people[^]*✅ command: `grep hello greeting\.txt`\. Exit code 0\./);
    assert.doesNotMatch(body, /What was asked/, 'the spec stands for itself');
  });
});
