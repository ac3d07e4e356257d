import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { SessionState } from '../../../protocol/session.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import type { StepInput } from '../../support/modelScript.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot, statusItem, webview } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const bash = (command: string): StepInput[] => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
const ANSWER = 'Done.\n\n```review\nC1: addressed - it says three now\nC2: declined - others rely on it\n```';
const THEMES = { dark: 'Default Dark Modern', light: 'Default Light Modern', hc: 'Default High Contrast' };

describe('comments to the agent in the editor', function () {
  this.timeout(90_000);
  // Each goes on where the one before ended.
  this.bail(true);
  let stage: EditorStage;
  let page: Page;
  let sessionId: string;
  const state = () => stage.client.call('session.get', { sessionId });
  const idle = (turns: number) =>
    eventually(async () => {
      const now: SessionState = await state();
      assert.ok(now.phase.kind === 'idle' && now.turns.length === turns, JSON.stringify(now.phase));
    }, 60_000);
  const drafts = async () => (await state()).feedback?.comments.map(({ text }) => text) ?? [];

  before(async function () {
    this.timeout(180_000);
    stage = await openEditorStage();
    page = await stage.openWindow();
    await runCommand(page, 'Sandpiper: Reconnect to Relay');
    await statusItem(page, /Sandpiper/)
      .first()
      .waitFor();
    const script = bash(`printf '%s\\n' one TWO three FOUR five > list.txt`);
    ({ sessionId } = await stage.client.call(
      'session.create',
      { source: stage.repository, prompt: `Make a list @@${JSON.stringify(script)}`, permissionMode: 'autopilot' },
      { timeoutMs: 60_000 },
    ));
    await idle(1);
    await runCommand(page, 'Sandpiper: Open Changes');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Make a list' }).click();
    await line('TWO')
      .waitFor({ timeout: patient(30_000) })
      .catch(async (error: unknown) => {
        await screenshot(page, 'failed-review-comments-opening');
        throw error;
      });
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  function line(text: string): Locator {
    return page.locator('.view-line:visible', { hasText: text }).last();
  }
  function thread(text: string): Locator {
    return page.locator('.review-widget:visible').filter({ hasText: text });
  }

  /** Presses the plus in the margin, which a line has while the mouse is on it. */
  async function pressPlus(text: Locator): Promise<void> {
    await text.hover();
    await eventually(async () => {
      const box = await text.boundingBox();
      assert.ok(box);
      await page.mouse.click(box.x - 23, box.y + box.height / 2);
      await page.locator('.comment-form .monaco-editor:visible').first().waitFor({ timeout: 2000 });
    }, 20_000);
  }

  it('are written with the mouse', async () => {
    // It moves the lines down when it comes.
    await page.locator('.codelens-decoration:visible', { hasText: 'Accept' }).first().waitFor();
    await pressPlus(line('TWO'));
    await page.locator('.comment-form .monaco-editor:visible').first().click();
    await page.keyboard.type('Write three here.');
    await page.getByRole('button', { name: /^Add Comment/ }).click();
    await thread('Write three here.').getByText('Draft').first().waitFor();
    assert.deepEqual(await drafts(), ['Write three here.']);
  });

  it('are written with keys alone', async () => {
    await line('FOUR').click();
    await page.keyboard.press('Control+Alt+k');
    await page.locator('.comment-form .monaco-editor.focused:visible').waitFor();
    await page.keyboard.type('Must it be loud?');
    await page.keyboard.press('Control+Enter');
    await thread('Must it be loud?').getByText('Draft').first().waitFor();
    assert.deepEqual(await drafts(), ['Write three here.', 'Must it be loud?']);
  });

  it('are there after a reload, can be edited, and are seen in another window', async () => {
    await page.reload();
    await thread('Write three here.').waitFor({ timeout: patient(60_000) });
    await thread('Must it be loud?').waitFor();
    const second = thread('Must it be loud?');
    await second.hover();
    await second.getByRole('button', { name: 'Edit Comment' }).click();
    await second.locator('.edit-container .monaco-editor').first().click();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Why loud?');
    await second.getByRole('button', { name: /^Save Comment/ }).click();
    await thread('Why loud?').getByText('Draft').first().waitFor();
    assert.deepEqual(await drafts(), ['Write three here.', 'Why loud?']);
    const list = await stage.client.call('review.comments', { sessionId });
    await stage.client.call('review.editComment', {
      sessionId,
      commentId: list.comments[1]?.id ?? '',
      text: 'Why so loud?',
    });
    await thread('Why so loud?').waitFor();
  });

  it('go to the agent with a key, and its answers stand in their threads', async () => {
    const change = bash(`printf '%s\\n' one three three FOUR five > list.txt`).slice(0, 1);
    const say = `Go on. @@${JSON.stringify([...change, { text: ANSWER }])}`;
    await line('one').click();
    await page.keyboard.press('Control+Alt+Enter');
    await page.getByText('The agent gets 2 comments', { exact: false }).waitFor();
    await answerInput(page, say);
    await idle(2);
    await thread('Why so loud?').getByText('Declined').waitFor();
    await thread('others rely on it').waitFor();
    const first = thread('Write three here.');
    await first.getByText('Outdated', { exact: false }).first().waitFor();
    await first.getByText('Addressed').waitFor();
    await first.getByText('These lines changed.').waitFor();
    assert.deepEqual(
      (await state()).feedback?.comments.map(({ label, answer }) => [label, answer?.outcome]),
      [
        ['C1', 'addressed'],
        ['C2', 'declined'],
      ],
    );
  });

  it('can be resolved, and are shown so', async () => {
    const declined = thread('Why so loud?');
    await declined.getByRole('button', { name: 'Resolve Comments' }).click();
    await eventually(async () => assert.equal((await state()).feedback?.comments[1]?.resolved, true));
  });

  it('say where a line comes from, and bring it up in the chat', async () => {
    await line('FOUR').click();
    await page.keyboard.press('Control+Alt+o');
    const hover = page.locator('.monaco-hover:visible').filter({ hasText: 'Written by the agent in turn 1' });
    await hover.getByText('Make a list').first().waitFor();
    await hover.getByText('Probably with:').waitFor();
    await screenshot(page, 'line-origin');
    await hover.getByRole('link', { name: 'Show in Chat' }).click();
    const chat = await webview(page, 'Sandpiper Chat');
    await chat.locator('.row:focus').filter({ hasText: 'Make a list' }).waitFor();
    await screenshot(page, 'line-origin-chat');
  });

  for (const [name, theme] of Object.entries(THEMES)) {
    it(`can be read in ${name}`, async () => {
      const settings = join(stage.repository, '.vscode/settings.json');
      await page.keyboard.press('Escape');
      await line('one').click();
      await mkdir(join(stage.repository, '.vscode'), { recursive: true });
      await writeFile(settings, JSON.stringify({ 'workbench.colorTheme': theme }));
      const wanted = { dark: 'vs-dark', light: 'vs', hc: 'hc-black' }[name] ?? '';
      await page.locator(`.monaco-workbench.${wanted}`).waitFor({ timeout: patient(20_000) });
      await thread('Write three here.').waitFor();
      await screenshot(page, `review-comments-${name}`);
    });
  }
});
