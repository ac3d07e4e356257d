import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { chooseInMenu, notification, screenshot, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const OWN = '# Our way\n\n## It has a test\n\n- check: `sh test.sh`\n';

/** The list of specs and the ways into it; each test goes on where the one before ended. */
describe('the list of specs in the editor', function () {
  this.timeout(90_000);
  this.bail(true);
  let stage: EditorStage;
  let page: Page;

  before(async () => {
    stage = await openEditorStage();
    await mkdir(join(stage.repository, '.sandpiper/specs'), { recursive: true });
    await writeFile(join(stage.repository, '.sandpiper/specs/Our way.md'), OWN);
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(30_000));
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const quickRow = (text: string | RegExp): Locator =>
    page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text }).first();
  const widget = (): Locator => page.locator('.quick-input-widget:visible');
  const choice = (text: string): Promise<void> => widget().getByPlaceholder(text).waitFor();
  const question = (text: string): Promise<void> => widget().getByText(text).waitFor();
  const specs = async () => (await stage.client.call('spec.list', {})).specs;
  const titles = async (): Promise<string[]> => (await specs()).map(({ title }) => title).sort();
  const textOf = async (title: string): Promise<string> => {
    const found = (await specs()).find(spec => spec.title === title);
    return (await stage.client.call('spec.get', { specId: found?.specId ?? '' })).text;
  };
  const row = (title: string): Locator => treeItem(page, new RegExp(`^${title}`)).first();
  const choose = (title: string, name: string, took: () => unknown): Promise<void> =>
    chooseInMenu(page, row(title), name, took);

  it('says what a spec is while there is none, and begins one', async () => {
    await runCommand(page, 'Sandpiper: Focus on Specs View');
    await page.getByText('A spec says what is to be built').waitFor();
    await page.getByRole('button', { name: 'New Spec' }).last().click();
    await choice('What does it begin with?');
    await screenshot(page, 'spec-new');
  });

  it('makes one of the answers to a few questions', async () => {
    await quickRow('Answer a few questions').click();
    await question('What is it called?');
    await answerInput(page, 'A notes app');
    await quickRow('A command-line tool').click();
    await quickRow('Node.js, TypeScript').click();
    await question('Separate features with ;');
    await answerInput(page, 'Write a note;  Find a note ;');
    await question('How does it look and feel?');
    await answerInput(page, 'Plain text, no colours');
    await quickRow('Yes, I say whether it is good').click();
    await page.getByRole('tab', { name: /A notes app\.md/ }).waitFor();
    await row('A notes app').waitFor();
    const text = await textOf('A notes app');
    for (const part of ['# A notes app', '## Write a note', '## Find a note', 'Plain text, no colours', 'npm test']) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });

  it('offers the templates of the repository, and makes a spec of any Markdown file', async () => {
    await runCommand(page, 'Sandpiper: New Spec…');
    await choice('What does it begin with?');
    await quickRow(/Our way/).click();
    await page.getByRole('tab', { name: /Our way\.md/ }).waitFor();
    assert.equal(await textOf('Our way'), OWN);
    await page.keyboard.press('Control+P');
    await writeInput(page, 'README.md');
    await quickRow('README.md').click();
    await page.getByRole('tab', { name: /README\.md/ }).waitFor();
    await runCommand(page, 'Sandpiper: Make Spec of This File');
    await eventually(async () => assert.equal((await titles()).length, 3));
    assert.equal(await textOf('Slug'), await readFile(join(stage.repository, 'README.md'), 'utf8'));
    await row('Slug').waitFor();
    await screenshot(page, 'spec-list');
  });

  it('copies, duplicates and compares from the row', async () => {
    await choose('Our way', 'Copy Spec as Markdown', async () =>
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), OWN),
    );
    await choose('Our way', 'Duplicate Spec', async () =>
      assert.deepEqual(await titles(), ['A notes app', 'Our way', 'Our way', 'Slug']),
    );
    const [notes] = (await specs()).filter(({ title }) => title === 'A notes app');
    const { specId = '', revision = 0 } = notes ?? {};
    const text = `${await textOf('A notes app')}\nMore.\n`;
    await stage.client.call('spec.save', { specId, expectedRevision: revision, text });
    // What is saved comes first: a row that still moves is not the one that is pressed.
    await runCommand(page, 'Sandpiper: Refresh Specs');
    await eventually(async () => assert.equal(await page.getByText(/^line \d+ is wrong$/).count(), 4));
    await choose('A notes app', 'Show History of Spec…', async () =>
      assert.ok(await quickRow('Revision 1').isVisible()),
    );
    await quickRow('Revision 1').click();
    await page.getByRole('tab', { name: /A notes app \(revision 1 ↔ newest\)/ }).waitFor();
    await page.locator('.editor.modified .view-line', { hasText: /^More\.$/ }).waitFor();
  });

  it('takes a spec out of the list, and brings it back', async () => {
    const said = notification(page, '“Slug” was taken out of the list.');
    await choose('Slug', 'Remove Spec', async () => assert.ok(await said.isVisible()));
    await eventually(async () => assert.equal(await row('Slug').count(), 0));
    assert.ok(!(await titles()).includes('Slug'));
    await said.getByRole('button', { name: 'Undo' }).click();
    await row('Slug').waitFor();
    assert.ok((await titles()).includes('Slug'));
  });
});
