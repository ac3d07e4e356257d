import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { bash, idle } from '../../support/landing.ts';
import { answerInput, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { plainGit } from '../../support/plainGit.ts';
import { notification, screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const CHANGE = 'echo "# by the agent" >> slug.sh; sed -i "1s/.*/# The agent/" README.md; printf "new\\n" > new.txt';

/** What a session made, brought into the files that are open; each test goes on where the one before ended. */
describe('landing in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let readme = '';
  let sessionId = '';

  before(async () => {
    stage = await openEditorStage();
    await mkdir(join(stage.repository, '.vscode'), { recursive: true });
    await block(true);
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    sessionId = await work(CHANGE);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const file = (path: string) => join(stage.repository, path);
  const read = (path: string) => readFile(file(path), 'utf8');
  const block = (blocks: boolean) =>
    writeFile(
      file('.vscode/settings.json'),
      JSON.stringify({ 'sandpiper.review.blockLandingWhilePending': blocks, 'files.autoSave': 'off' }),
    );
  const work = async (command: string): Promise<string> => {
    const created = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Please do this: @@${JSON.stringify(bash(command))}`,
      title: 'A change',
      permissionMode: 'autopilot',
    });
    await eventually(async () => {
      const state = await stage.client.call('session.get', { sessionId: created.sessionId });
      assert.ok(idle(1)(state));
    }, 60_000);
    return created.sessionId;
  };
  /** Runs a command about the one session. */
  const onSession = async (title: string): Promise<void> => {
    await runCommand(page, `Sandpiper: ${title}`);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'A change' }).first().click();
  };
  const dialogButton = (name: string) => page.locator('.monaco-dialog-box').getByRole('button', { name });

  it('waits for the review when the setting says so, and names what is left', async () => {
    await onSession('Create Pull Request');
    const refused = notification(page, 'changes in 3 files not reviewed yet');
    await refused.waitFor({ timeout: patient(30_000) });
    await refused.getByRole('button', { name: 'Open Changes' }).waitFor();
    await refused.getByRole('button', { name: 'Open Setting' }).waitFor();
    await screenshot(page, 'landing-blocked');
    assert.equal(stage.github.pullRequests().length, 0);
    await page.keyboard.press('Escape');
  });

  it('opens one from what was accepted when the setting lets it, after asking with the counts', async () => {
    const { accepted, proposed } = await stage.client.call('review.list', { sessionId });
    const expected = { accepted, proposed };
    await stage.client.call('review.decide', { sessionId, verdict: 'accept', files: [{ path: 'new.txt' }], expected });
    await block(false);
    const choice = page.locator('.quick-input-list .monaco-list-row', { hasText: 'Accepted changes' });
    await eventually(async () => {
      await page.keyboard.press('Escape');
      await onSession('Create Pull Request');
      await choice.waitFor({ timeout: 5000 });
    }, 60_000);
    await choice.getByText('1 file, +1 −0').waitFor();
    await page
      .locator('.quick-input-list')
      .getByText(/Leaves out 2 changes in 2 files not reviewed/)
      .waitFor();
    await screenshot(page, 'landing-choice');
    await choice.click();
    await notification(page, 'pull request #1 with the accepted changes; 2 changes not reviewed').waitFor({
      timeout: patient(30_000),
    });
    const [pull] = stage.github.pullRequests();
    assert.match(pull?.body ?? '', /- `new\.txt`: accepted by/);
    await runCommand(page, 'Notifications: Clear All Notifications');
  });

  it('merges into unsaved text in the editor, and leaves a file with a conflict as it is', async () => {
    readme = (await read('README.md')).replace(/^.*/, '# Mine');
    await writeFile(file('README.md'), readme);
    const slug = await read('slug.sh');
    await page.keyboard.press('Control+P');
    await writeInput(page, 'slug.sh');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'slug.sh' }).first().click();
    const editor = page.locator('.editor-instance .monaco-editor').first();
    await editor.locator('.view-line').first().click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('# typed, not saved\n');
    await onSession('Apply to Workspace');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'All changes' }).click();
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.getByText('README.md: you and the agent changed the same lines').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'landing-conflict-question');
    await dialogButton('Apply the Others').click();
    await notification(page, 'Applied all changes to 2 files, 1 of them in unsaved text; 1 conflict left').waitFor();
    assert.equal(await read('new.txt'), 'new\n');
    assert.equal(await read('README.md'), readme);
    assert.equal(await read('slug.sh'), slug, 'what is not saved is not on disk');
    await editor.getByText('# typed, not saved').waitFor();
    await page.keyboard.press('Control+End');
    await editor.getByText('# by the agent').waitFor();
    await page.locator('.tab.dirty', { hasText: 'slug.sh' }).waitFor();
    await screenshot(page, 'landing-applied');
  });

  it('opens the conflict in the merge editor, and takes the result when it is complete', async () => {
    await notification(page, '1 conflict left').getByRole('button', { name: 'Resolve Conflicts' }).click();
    const merge = page.locator('.merge-editor');
    await merge.waitFor({ timeout: patient(30_000) });
    await merge.getByText('1 Conflict Remaining').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'landing-merge-editor');
    assert.equal(await read('README.md'), readme, 'nothing is written before the merge is complete');
    await merge.getByText('Accept Yours').click();
    await merge.getByText("Accept The Agent's").click();
    await merge.getByText('0 Conflicts Remaining').waitFor();
    await page.locator('.editor-actions').getByRole('button', { name: 'Complete Merge' }).click();
    await notification(page, 'Merged README.md.').waitFor({ timeout: patient(30_000) });
    const merged = await read('README.md');
    assert.match(merged, /^# Mine\n# The agent\n/);
    await screenshot(page, 'landing-merged');
  });

  it('undoes the merge and the whole apply, each at once', async () => {
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Sandpiper: Undo Apply');
    await notification(page, 'in 1 file').waitFor({ timeout: patient(30_000) });
    assert.equal(await read('README.md'), readme);
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Sandpiper: Undo Apply');
    await notification(page, 'in 2 files').waitFor({ timeout: patient(30_000) });
    assert.equal(existsSync(file('new.txt')), false);
    const editor = page.locator('.editor-instance .monaco-editor').first();
    await eventually(async () => assert.equal(await editor.getByText('# by the agent').count(), 0));
    await screenshot(page, 'landing-undone');
  });

  it('copies a patch, and makes a branch beside uncommitted changes', async () => {
    await onSession('Copy As Patch');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'All changes' }).click();
    await eventually(async () => {
      const copied = await page.evaluate('navigator.clipboard.readText()');
      assert.match(String(copied), /^diff --git a\/README\.md/);
    }, 30_000);
    await onSession('Check Out Branch…');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'All changes' }).click();
    await page.getByText('Name of the branch in your repository').waitFor({ timeout: patient(30_000) });
    await answerInput(page, 'from-the-agent');
    await dialogButton('Make the Branch Only').click();
    await notification(page, 'Made the branch from-the-agent.').waitFor({ timeout: patient(30_000) });
    assert.equal(await plainGit(stage.repository, ['show', 'from-the-agent:new.txt']), 'new');
    assert.equal(await plainGit(stage.repository, ['symbolic-ref', '--short', 'HEAD']), 'main');
    assert.equal(await read('README.md'), readme);
  });
});
