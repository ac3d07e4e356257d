import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { scripted } from '../../support/modelScript.ts';
import { answerInput, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot } from '../../support/workbench.ts';

const FIXED = 'check() {\n  echo "checked $1"\n}';
const ANSWER = `Here it is:\n\n\`\`\`sh test.sh\n${FIXED}\n\`\`\`\n`;

/** What the agent did and said, and what a person makes of it, in a real editor with the real agent. */
describe('the work of the agent in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  const fileText = (): Promise<string> => readFile(join(stage.repository, 'test.sh'), 'utf8');

  before(async function () {
    this.timeout(240_000);
    stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    page = await stage.openWindow();
    chat = await eventually(() => openChat(page), 70_000);
    const below = scripted('Look around', [{ tool: 'Bash', input: { command: 'ls' } }, { text: 'Seen from below.' }]);
    const script = [
      {
        blocks: [
          { tool: 'TaskCreate', input: { subject: 'Read the code', description: 'd' } },
          { tool: 'TaskCreate', input: { subject: 'Write the answer', description: 'd', activeForm: 'Writing' } },
        ],
      },
      { tool: 'TaskUpdate', input: { taskId: '1', status: 'completed' } },
      { tool: 'Agent', input: { description: 'Explore', prompt: below, subagent_type: 'general-purpose' } },
      { tool: 'Read', input: { file_path: 'slug.sh' } },
      { tool: 'Read', input: { file_path: 'test.sh' } },
      { tool: 'Read', input: { file_path: 'README.md' } },
      { text: ANSWER },
    ];
    await startTask(chat, `Explain the check @@${JSON.stringify(script)}`);
    await waitForTurnEnds(chat, 1);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('is a tree with what is folded, and a list of what is to be done', async () => {
    const agent = chat.locator('details.tool', { hasText: 'Explore' }).first();
    await eventually(async () => assert.match((await agent.locator('> summary').textContent()) ?? '', /Done/), 30_000);
    await agent.locator('> summary').press('Enter');
    await waitForText(chat, /steps? of the subagent/);
    await chat.getByText('1 of 2 done').waitFor();
    await chat.locator('.group summary', { hasText: 'Read 3 files' }).waitFor();
    await screenshot(page, 'chat-work');
    await chat.getByRole('button', { name: 'Focus mode' }).click();
    await eventually(async () => assert.equal(await chat.locator('[data-tool]:visible').count(), 0));
    await screenshot(page, 'chat-focus');
    await chat.getByRole('button', { name: 'Focus mode' }).click();
  });

  it('tells what it used', async () => {
    await chat.getByRole('button', { name: /^Context and cost/ }).click();
    await chat.getByRole('region', { name: 'Context and cost' }).locator('tbody tr').first().waitFor();
    await screenshot(page, 'chat-usage');
    await chat.getByRole('button', { name: /^Context and cost/ }).click();
  });

  it('is found by its words, also in what is folded', async () => {
    await chat.getByRole('textbox', { name: 'Message to the agent' }).press('Control+f');
    const field = chat.getByRole('textbox', { name: 'Find in this session' });
    await field.fill('tr a-z');
    await chat.getByText('Nothing found').waitFor();
    await field.fill('tr ');
    await chat.getByText(/^\d+ of \d+$/).waitFor();
    await screenshot(page, 'chat-find');
    await field.press('Escape');
  });

  it('brings code into the file that it names, and one Undo takes it back', async () => {
    const before = await fileText();
    await chat.getByRole('button', { name: 'Apply the code to the open file' }).click();
    await page.locator('.tab.active', { hasText: 'test.sh' }).waitFor();
    await runCommand(page, 'File: Save');
    await eventually(async () => assert.match(await fileText(), /^check\(\) \{\n {2}echo "checked \$1"\n\}$/m));
    await screenshot(page, 'chat-applied');
    assert.notEqual(await fileText(), before);
    await page.locator('.editor-instance .view-lines').first().click();
    await page.keyboard.press('Control+z');
    await runCommand(page, 'File: Save');
    await eventually(async () => assert.equal(await fileText(), before));
  });

  it('is found among all sessions, and the place is shown', async () => {
    await runCommand(page, 'Sandpiper: Search Sessions…');
    await writeInput(page, 'zebrafish');
    await page.locator('.quick-input-list', { hasText: 'Nothing found' }).waitFor();
    await writeInput(page, 'seen from below');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Seen from below' }).first().waitFor();
    await screenshot(page, 'chat-search');
    await page.keyboard.press('Enter');
    await chat.locator('[data-row]:focus', { hasText: 'Seen from below' }).waitFor();
  });

  it('is exported as a document', async () => {
    const file = join(stage.repository, 'session.md');
    await runCommand(page, 'Sandpiper: Export Session…');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Markdown' }).first().click();
    await page.locator('.quick-input-title', { hasText: 'Export Session' }).waitFor();
    await eventually(async () =>
      assert.match(await page.locator('.quick-input-widget input').first().inputValue(), /\.md$/),
    );
    await answerInput(page, file);
    await eventually(async () => assert.match(await readFile(file, 'utf8'), /^> Here it is:$/m), 20_000);
  });
});
