import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openChat, waitForText } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { patient } from '../../support/patience.ts';

describe('the editor when something is missing', function () {
  this.timeout(60_000);
  let stage: EditorStage;
  let page: Page | undefined;

  before(async () => {
    stage = await openEditorStage({
      machineSettings: { 'sandpiper.agent.claudePath': '/nowhere/claude' },
      env: { SANDPIPER_CLAUDE: undefined, ANTHROPIC_API_KEY: undefined },
    });
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);
  afterEach(() => page?.context().close());

  it('says that Claude Code and the key are missing, and what to do about each', async () => {
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    const chat = await openChat(page);
    await waitForText(chat, 'There is no Anthropic API key yet, so the agent cannot answer.');
    await chat.getByRole('button', { name: 'Set API Key…' }).waitFor();
    await chat.getByRole('textbox', { name: 'Task for the agent' }).fill('Make the test pass');
    await chat.getByRole('button', { name: 'Start' }).click();
    const problem = chat.getByRole('alert');
    await problem
      .getByText('There is no Claude Code program at /nowhere/claude.')
      .waitFor({ timeout: patient(30_000) });
    await problem.getByRole('button', { name: 'Copy' }).click();
    await problem.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'npm install -g @anthropic-ai/claude-code');
    // What was typed is not lost with the attempt.
    assert.equal(await chat.getByRole('textbox', { name: 'Task for the agent' }).inputValue(), 'Make the test pass');
  });

  it('says that a folder is no git repository', async () => {
    const plain = join(stage.folder, 'plain');
    await mkdir(plain);
    page = await stage.openWindow(plain);
    const chat = await openChat(page);
    await waitForText(chat, /cannot be used as a git repository/);
    await waitForText(chat, 'git init');
  });

  it('says that no folder is open, in the list and in the chat', async () => {
    page = await stage.openWindow(null);
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    const chat = await openChat(page);
    await waitForText(chat, 'No folder is open.');
    await waitForText(chat, 'Open the folder of a git repository.');
  });
});
