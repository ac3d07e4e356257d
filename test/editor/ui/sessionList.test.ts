import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { chooseInMenu, notification, pressInRow, screenshot, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const ASKS = [
  { text: 'First this.', tool: 'Bash', input: { command: 'rm -rf build' } },
  { tool: 'Bash', input: { command: 'echo one\necho two > two.txt' } },
  { text: 'All done.' },
];

/** The list in the activity bar, from its first session to an undone delete; each test goes on where the one before ended. */
describe('the list of sessions in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  const ids: Record<string, string> = {};

  const begin = async (title: string, script: readonly object[]): Promise<string> => {
    const { sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `${title} @@${JSON.stringify(script)}`,
      title,
    });
    ids[title] = sessionId;
    return sessionId;
  };
  const state = (title: string) => stage.client.call('session.get', { sessionId: ids[title] ?? '' });
  const row = (title: string): Locator => treeItem(page, new RegExp(`^${title},`));
  /** The rows from top to bottom, as a screen reader says them. */
  const rows = async (): Promise<string[]> => {
    const labels = await page.getByRole('treeitem').evaluateAll(items => items.map(item => item.ariaLabel ?? ''));
    return labels.map(label => label.trim());
  };

  before(async () => {
    stage = await openEditorStage();
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    await begin('Fix the login', [{ text: 'Fixed.' }]);
    await begin('Write a guide', [{ text: 'Written.' }]);
    await treeItem(page, /Done, 2 sessions/).waitFor({ timeout: patient(45_000) });
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('pins a session to its top, for every client', async () => {
    await pressInRow(row('Fix the login'), 'Pin Session', async () =>
      assert.equal((await state('Fix the login')).pinned, true),
    );
    await treeItem(page, /Pinned, 1 session/).waitFor();
    await treeItem(page, /^Fix the login, Idle, pinned/).waitFor();
    const labels = await rows();
    assert.match(labels[0] ?? '', /^Pinned/);
    assert.match(labels[1] ?? '', /^Fix the login, Idle, pinned/);
  });

  it('tags a session, and finds it by its tag while it is typed', async () => {
    const tags = page.locator('.quick-input-title', { hasText: 'Tags of Write a guide' });
    await chooseInMenu(page, row('Write a guide'), 'Tag Session…', async () => assert.ok(await tags.isVisible()));
    await answerInput(page, 'docs');
    await treeItem(page, /^Write a guide, Idle, tags docs/).waitFor();
    assert.deepEqual((await state('Write a guide')).tags, ['docs']);

    await runCommand(page, 'Sandpiper: Filter Sessions…');
    await writeInput(page, 'tag:docs');
    await page.getByRole('option', { name: /Show 1 session/ }).waitFor();
    await eventually(async () => assert.equal(await row('Fix the login').count(), 0));
    await page.keyboard.press('Enter');
    await page.getByText('Filter: tag:docs (1 of 2 sessions)').waitFor();
    await screenshot(page, 'sessionsFiltered');
  });

  it('keeps its filter over a reload, says so when nothing fits, and lets it be cleared', async () => {
    const filter = page.getByText('Filter: tag:docs (1 of 2 sessions)');
    // Unlike a reload of the page, this writes down what the window remembers.
    await runCommand(page, 'Developer: Reload Window');
    await filter.waitFor({ state: 'detached' });
    await filter.waitFor({ timeout: patient(45_000) });
    await stage.client.call('session.tag', { sessionId: ids['Write a guide'] ?? '', remove: ['docs'] });
    await page.getByText('No session fits the filter.').waitFor();
    await page.getByRole('button', { name: 'Clear Filter' }).click();
    await row('Fix the login').waitFor();
    await row('Write a guide').waitFor();
  });

  it('puts the former filter back when the person leaves with Escape', async () => {
    await runCommand(page, 'Sandpiper: Filter Sessions…');
    await writeInput(page, 'guide');
    await eventually(async () => assert.equal(await row('Fix the login').count(), 0));
    await page.keyboard.press('Escape');
    await row('Fix the login').waitFor();
  });

  it('shows what an agent asks in a row of its own, and allows in one press what the row shows whole', async () => {
    await begin('Clean up', ASKS);
    const ask = treeItem(page, /^Waits for your answer, Bash: rm -rf build, risk high: deletes files/);
    await ask.waitFor({ timeout: patient(45_000) });
    await screenshot(page, 'sessionsAsking');
    await pressInRow(ask, 'Allow', async () => assert.equal((await state('Clean up')).answered.length, 1));
    await treeItem(page, /^Waits for your answer, Bash: echo one,/).waitFor({ timeout: patient(45_000) });
    const { answered } = await state('Clean up');
    assert.deepEqual(
      answered.map(({ title, answer }) => [title, 'decision' in answer && answer.decision.kind]),
      [['rm -rf build', 'allow']],
    );
  });

  it('shows what a row cannot show before it is allowed, and Enter alone allows nothing', async () => {
    await pressInRow(treeItem(page, /^Waits for your answer, Bash: echo one,/), 'Allow', () =>
      page.getByRole('option', { name: 'echo two > two.txt' }).waitFor({ timeout: 3000 }),
    );
    await screenshot(page, 'sessionsExact');
    await page.keyboard.press('Enter');
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    assert.equal((await state('Clean up')).approvals.length, 1);
    await pressInRow(treeItem(page, /^Waits for your answer, Bash: echo one,/), 'Deny', async () =>
      assert.equal((await state('Clean up')).approvals.length, 0),
    );
    await eventually(async () => assert.equal((await state('Clean up')).phase.kind, 'idle'), 30_000);
    assert.equal((await state('Clean up')).approvals.length, 0);
  });

  it('stops a turn from its row', async () => {
    await begin('Wait for ever', [{ text: 'I wait.', tool: 'Bash', input: { command: 'tail -f /dev/null' } }]);
    // Before it asks there is nothing to press, and none of what is looked at below is of a press.
    const ask = treeItem(page, /^Waits for your answer, Bash: tail -f/);
    await ask.waitFor({ timeout: patient(45_000) });
    await pressInRow(ask, 'Allow', async () => assert.equal((await state('Wait for ever')).answered.length, 1));
    await eventually(async () => assert.equal((await state('Wait for ever')).phase.kind, 'working'), 30_000);
    await pressInRow(row('Wait for ever'), 'Stop Turn', async () =>
      assert.notEqual((await state('Wait for ever')).phase.kind, 'working'),
    );
    await eventually(async () => assert.equal((await state('Wait for ever')).phase.kind, 'idle'), 30_000);
  });

  it('shows every permission rule in one place, and has agents ask again about what is unticked', async () => {
    for (const rule of ['Bash(npm test:*)', 'Edit(docs/**)']) {
      await stage.client.call('rules.add', { rule, scope: 'everywhere' });
    }
    await runCommand(page, 'Sandpiper: Edit Permission Rules');
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: 'Edit(docs/**)' });
    await row.waitFor();
    await screenshot(page, 'permissionRules');
    await row.getByRole('checkbox').click();
    await page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await notification(page, 'Agents ask again about Edit(docs/**)').waitFor();
    const { rules } = await stage.client.call('rules.list', {});
    assert.deepEqual(
      rules.map(({ rule }) => rule),
      ['Bash(npm test:*)'],
    );
  });

  it('deletes a session, and brings it back with its pin', async () => {
    await treeItem(page, /^Wait for ever, Idle/).waitFor({ timeout: patient(30_000) });
    const confirm = page.locator('.monaco-dialog-box').getByRole('button', { name: 'Delete' });
    await chooseInMenu(page, row('Fix the login'), 'Delete Session…', async () => assert.ok(await confirm.isVisible()));
    await confirm.click();
    const deleted = notification(page, '"Fix the login" is deleted.');
    await deleted.waitFor({ timeout: patient(45_000) });
    await eventually(async () => assert.equal(await row('Fix the login').count(), 0));
    await deleted.getByRole('button', { name: 'Undo' }).click();
    await treeItem(page, /^Fix the login, Idle, pinned/).waitFor({ timeout: patient(45_000) });
  });
});
