import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { chatOf } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { neighbourExtension, packFixture } from '../../support/fixtureVsix.ts';
import { scripted } from '../../support/modelScript.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { runCommand } from '../../support/palette.ts';
import { screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

describe('Sandpiper for the editor’s own agents', function () {
  this.timeout(90_000);
  let folder = '';
  let stage: EditorStage;
  let page: Page;

  before(async function () {
    this.timeout(180_000);
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-'));
    const neighbour = join(folder, 'neighbour.vsix');
    await packFixture(neighbourExtension, neighbour);
    stage = await openEditorStage({ settings: { 'chat.disableAIFeatures': false }, extensions: [neighbour] });
    page = await stage.openWindow();
    page.setDefaultTimeout(patient(20_000));
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  });
  after(async () => {
    await stage?.dispose();
    await rm(folder, { recursive: true, force: true });
  });
  pictureOfFailure(() => page);

  const row = (text: string): Locator => page.locator('.quick-input-list .monaco-list-row', { hasText: text });

  it('is an MCP server that the editor starts when the person says so', async () => {
    await eventually(async () => {
      await runCommand(page, 'MCP: List Servers');
      await row('Sandpiper').click({ timeout: 2000 });
    }, 45_000);
    await row('Start Server').click();
    await page
      .locator('.part.panel')
      .getByText('tools')
      .waitFor({ timeout: patient(45_000) });
    const log = await page.locator('.part.panel .view-lines').innerText();
    assert.match(log.replaceAll(/\s/g, ' '), /Discovered 8 tools/);
    await screenshot(page, 'mcp-server');
  });

  it('opens a session by a link, after asking', async () => {
    const { sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: scripted('Look.', [{ text: 'Seen.' }]),
      title: 'Linked',
    });
    await openLink(`/session/${sessionId}`);
    const dialog = page.getByRole('dialog').filter({ hasText: 'Open the session “Linked”?' });
    await dialog.waitFor();
    await screenshot(page, 'session-link');
    await dialog.getByRole('button', { name: 'Open Session' }).click();
    await (await chatOf(page)).getByText('Seen.').first().waitFor();
  });

  it('refuses any other link', async () => {
    await openLink('/session/../settings');
    await page.getByText('This link to Sandpiper is not one to a session.').first().waitFor();
  });

  it('is a participant in the editor’s chat', async () => {
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Chat: Open Chat');
    const chat = page.locator('.interactive-session').first();
    const say = async (text: string): Promise<void> => {
      await chat.locator('.interactive-input-part .monaco-editor').first().click();
      await page.keyboard.type(`@sandpiper ${text}`);
      await page.keyboard.press('Enter');
    };
    // Without a model the editor's chat asks nobody, and it looks for one with the first question only.
    await say('/sessions ');
    await chat
      .getByText('Parrot')
      .first()
      .waitFor({ timeout: patient(45_000) });
    await say(scripted('Make a file.', [{ text: 'Made **it**.' }]));
    // What the agent says is shown as text, not as Markdown.
    await chat
      .getByText('Made **it**.')
      .first()
      .waitFor({ timeout: patient(45_000) });
    await screenshot(page, 'chat-participant');
    const { sessions } = await stage.client.call('session.list', {});
    assert.ok(sessions.some(({ title }) => title.startsWith('Make a file.')));
  });

  async function openLink(path: string): Promise<void> {
    const link = `code-oss://sandpiper.sandpiper${path}`;
    await page.evaluate(text => navigator.clipboard.writeText(text), link);
    await runCommand(page, 'Neighbour: Open Link from Clipboard');
  }
});
