import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import type { SessionState } from '../../../protocol/session.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { chatOf, press } from '../../support/chatPage.ts';
import { screenshot, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const PLAN = '# The plan\n\n1. Read the file\n2. Change it\n3. Run the tests';
const NEXT = '# The plan\n\n1. Read the file\n2. Change it in place\n3. Run the tests';
const STEPS = [PLAN, NEXT].flatMap(content => [
  { tool: 'Write', input: { file_path: '{{planFile}}', content } },
  { tool: 'ExitPlanMode', input: {} },
]);

describe('comments on a plan in the editor', function () {
  this.timeout(90_000);
  // Each goes on where the one before ended.
  this.bail(true);
  let stage: EditorStage;
  let page: Page;
  let sessionId = '';

  before(async function () {
    this.timeout(180_000);
    stage = await openEditorStage();
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(15_000));
    await runCommand(page, 'Sandpiper: Reconnect to Relay');
    await eventually(async () => assert.ok(await stage.relayPid()), 30_000);
    ({ sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Plan it @@${JSON.stringify([...STEPS, { text: 'ok' }])}`,
      title: 'Plan it',
      permissionMode: 'plan',
    }));
    await untilAsked('Change it\n');
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const state = (): Promise<SessionState> => stage.client.call('session.get', { sessionId });
  const drafts = async () => (await state()).feedback?.comments.map(({ text, place }) => ({ text, place })) ?? [];
  const line = (text: string): Locator => page.locator('.view-line:visible', { hasText: text }).last();
  const thread = (text: string): Locator => page.locator('.review-widget:visible').filter({ hasText: text });
  async function untilAsked(text: string): Promise<void> {
    await eventually(async () => {
      const asked = (await state()).approvals.find(({ kind }) => kind === 'plan');
      assert.ok(asked?.input.text.includes(JSON.stringify(text).slice(1, -1)), JSON.stringify(asked));
    }, 60_000);
  }

  it('are written by line, from the chat, and are drafts that survive a reload', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    // Its row moves until that of what it asks is there, and a press would hit another one.
    await treeItem(page, /^Waits for your answer/).waitFor();
    await treeItem(page, /Plan it/)
      .first()
      .click();
    await press(await chatOf(page), 'Comment');
    await page.locator('.tab.active', { hasText: 'Plan.md' }).waitFor();
    await line('Change it').click();
    await page.keyboard.press('Control+Alt+k');
    await page.locator('.comment-form .monaco-editor.focused:visible').waitFor();
    await page.keyboard.type('Not in place, please.');
    await page.keyboard.press('Control+Enter');
    await thread('Not in place, please.').getByText('Draft').first().waitFor();
    const [draft] = await drafts();
    assert.ok(draft?.place.kind === 'plan');
    assert.deepEqual(draft.place.lines, { start: 3, count: 1 });
    assert.equal(draft.place.quote, '2. Change it');
    // Unlike a reload of the page, this writes down which editors are open.
    await runCommand(page, 'Developer: Reload Window');
    await page.locator('.tab', { hasText: 'Plan.md' }).waitFor({ state: 'detached', timeout: patient(60_000) });
    await thread('Not in place, please.').waitFor({ timeout: patient(60_000) });
    await screenshot(page, 'plan-comment');
  });

  it('are submitted as the answer to go on planning, once, and the next plan comes', async () => {
    await line('Run the tests').click();
    await page.keyboard.press('Control+Alt+Enter');
    await page.getByText('The agent gets 1 comment and goes on planning').waitFor();
    await screenshot(page, 'plan-submit');
    await answerInput(page, 'Nearly there.');
    await untilAsked('Change it in place');
    const [answered] = (await state()).answered;
    assert.ok(answered && 'decision' in answered.answer && answered.answer.decision.kind === 'deny');
    assert.equal(
      answered.answer.decision.message,
      'Nearly there.\n\nComments on the plan:\n\n1. On line 4: "2. Change it"\n   Not in place, please.',
    );
    await eventually(async () => assert.deepEqual(await drafts(), []));
    await thread('Not in place, please.').waitFor({ state: 'detached' });
  });
});
