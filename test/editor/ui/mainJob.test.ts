import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, press, startTask, toolCard, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const FIXED = `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g' -e 's/^-//' -e 's/-$//'`;
const ANSWER = 'Only spaces became hyphens; now every run of other characters does, and none stands at the ends.';
const TASK = 'Make the test pass';
const SCRIPT = [
  { text: 'I will run the test first.', tool: 'Bash', input: { command: 'sh test.sh', description: 'Run the test' } },
  { tool: 'Bash', input: { command: 'echo no > never.txt' } },
  {
    thinking: 'The pattern is too narrow.',
    tool: 'Edit',
    input: { file_path: 'slug.sh', old_string: `sed 's/ /-/g'`, new_string: FIXED },
  },
  { text: ANSWER, deltas: 30, delayMs: 150 },
];

/** One session from the prompt to the pull request; each test goes on where the one before ended. */
describe('a session in the editor', function () {
  this.timeout(60_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async () => {
    stage = await openEditorStage({ fallback: SCRIPT });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('says what it would start from before anything is sent', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    chat = await openChat(page);
    await waitForText(chat, 'What should the agent do?');
    await waitForText(chat, 'slug');
    await waitForText(chat, /^Runs in a process sandbox/);
    assert.equal(await chat.getByRole('button', { name: 'Start' }).isDisabled(), true);
  });

  it('asks for permission in the chat, the list, the badge and the status bar', async () => {
    await startTask(chat, TASK);
    await waitForText(chat, 'I will run the test first.');
    const approval = chat.getByRole('region', { name: 'Allow this?' });
    await approval.getByText('sh test.sh').waitFor({ timeout: patient(30_000) });
    await treeItem(page, /Needs You, 1 session/).waitFor();
    await treeItem(page, /Make the test pass.*/).waitFor();
    await page.getByRole('tab', { name: /Sandpiper.*1 session needs you/ }).waitFor();
    await statusItem(page, 'Sandpiper: 1 needs you').waitFor();
  });

  it('goes on when it is allowed, and shows what came of it', async () => {
    await press(chat, 'Allow Once');
    const card = toolCard(chat, 'sh test.sh');
    await card.getByText('Failed', { exact: true }).waitFor();
    await card.getByText('FAIL Hello, World!').waitFor();
    await card.getByText('Allowed once by you').waitFor();
  });

  it('does without what is denied, and the agent hears why', async () => {
    const approval = chat.getByRole('region', { name: 'Allow this?' });
    await approval.getByText('echo no > never.txt').waitFor({ timeout: patient(30_000) });
    await approval.getByRole('textbox').fill('No new files, please');
    await press(chat, 'Deny');
    const card = toolCard(chat, 'echo no > never.txt');
    await card.getByText('Denied', { exact: true }).waitFor();
    await card.locator('summary').first().click();
    await card.getByText('Denied by you: No new files, please').waitFor();
  });

  it('streams the answer, and ends the turn', async () => {
    await chat
      .getByRole('region', { name: 'Allow this?' })
      .getByText(FIXED)
      .waitFor({ timeout: patient(30_000) });
    await press(chat, 'Allow Once');
    await chat.getByText(/^Only spaces became hyphens/).waitFor({ timeout: patient(30_000) });
    assert.equal(await chat.getByText('none stands at the ends.').count(), 0, 'the answer came at once');
    await waitForText(chat, ANSWER);
    await waitForTurnEnds(chat, 1);
    await waitForText(chat, /files changed/);
    await waitForText(chat, 'Ready to review');
    assert.equal(await chat.getByText(ANSWER).count(), 1);
    assert.equal(await chat.getByRole('button', { name: 'Jump to latest' }).count(), 0, 'the page stayed at its end');
    await treeItem(page, /Ready to Review, 1 session/).waitFor();
    await statusItem(page, 'Sandpiper: 1 to review').waitFor();
  });

  it('opens the changes in the diff editor', async () => {
    await press(chat, 'Open Changes');
    const entry = page.locator('.multiDiffEntry').first();
    await entry.getByText('slug.sh').first().waitFor();
    await entry
      .locator('.view-line', { hasText: /\[\^a-z0-9\]/ })
      .first()
      .waitFor();
    assert.equal(await page.locator('.multiDiffEntry:visible').count(), 1);
    const header = await entry.locator('.header .file-path').first().textContent();
    assert.equal(header?.trim(), 'slug.sh', 'no folder is named beside a file of the root');
  });

  it('accepts them all, and there is nothing left to review', async () => {
    await press(chat, 'Accept All');
    await waitForText(chat, 'accepted');
    await treeItem(page, /Done, 1 session/).waitFor();
    await eventually(async () => assert.equal(await page.locator('.multiDiffEntry').count(), 0));
    const { sessions } = await stage.client.call('session.list', {});
    assert.equal(sessions[0]?.pending, false);
  });

  it('still shows what the session changed as a whole', async () => {
    await press(chat, 'Open Changes');
    await page.locator('.multiDiffEntry').first().getByText('slug.sh').first().waitFor();
  });

  it('lands it as a pull request', async () => {
    await press(chat, 'Create Pull Request');
    await chat.getByRole('button', { name: 'Pull Request #1' }).waitFor({ timeout: patient(30_000) });
    await chat.getByText('Draft', { exact: true }).waitFor();
    const [pullRequest, ...others] = stage.github.pullRequests();
    assert.equal(others.length, 0);
    assert.equal(pullRequest?.owner, 'octo');
    assert.deepEqual(stage.github.violations(), []);
    await press(chat, 'Update Pull Request');
    await eventually(async () =>
      assert.equal(await chat.getByRole('button', { name: 'Update Pull Request' }).isEnabled(), true),
    );
    assert.equal(stage.github.pullRequests().length, 1);
  });
});
