import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { makeSample } from '../../../scripts/demo/sample.ts';
import { chatOf, openChat, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { RelayProcess } from '../../support/relayProcess.ts';
import { notification, screenshot, statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const SCRIPT = [{ tool: 'Bash', input: { command: 'pwd' } }, { text: 'That is where I am.' }];

describe('a relay that runs elsewhere', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let elsewhere: RelayProcess;
  let page: Page;
  let token = '';

  before(async () => {
    stage = await openEditorStage({ fallback: SCRIPT });
    const dataFolder = join(stage.folder, 'elsewhere');
    elsewhere = new RelayProcess({ dataFolder, env: stage.env });
    await elsewhere.start();
    token = (await readFile(join(dataFolder, 'token'), 'utf8')).trim();
    const client = elsewhere.client();
    client.connect();
    await client.call('session.create', { source: stage.repository, prompt: 'Made elsewhere', permissionMode: 'plan' });
    client.dispose();
    page = await stage.openWindow();
  });
  after(async () => {
    if (elsewhere?.pid !== undefined) {
      const client = elsewhere.client();
      client.connect();
      for (const { id } of (await client.call('session.list', {})).sessions) {
        await client.call('session.archive', { sessionId: id, archived: true });
      }
      client.dispose();
      await elsewhere.stop();
    }
    await stage?.dispose();
  });
  pictureOfFailure(() => page);

  async function connectTo(url: string, secret: string): Promise<void> {
    await runCommand(page, 'Sandpiper: Connect to Relay…');
    await page.getByText('Connect to Relay (1 of 2)').waitFor();
    await answerInput(page, url);
    await page.getByText('Connect to Relay (2 of 2)').waitFor();
    await answerInput(page, secret);
  }

  it('takes no address that would show the token to a network', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await runCommand(page, 'Sandpiper: Connect to Relay…');
    await page.getByText('Connect to Relay (1 of 2)').waitFor();
    await answerInput(page, 'http://relay.example.com');
    await page.getByText('your token would cross the network in clear').waitFor();
    await page.keyboard.press('Escape');
  });

  it('is refused with a wrong token, and the way out is offered', async () => {
    await connectTo(elsewhere.url, 'not-the-token');
    await notification(page, 'token')
      .getByRole('button', { name: 'Connect to Relay…' })
      .waitFor({ timeout: patient(30_000) });
  });

  it('shows its sessions when it has the right one, and asks for it again when the editor has forgotten it', async () => {
    await connectTo(elsewhere.url, token);
    await treeItem(page, /Made elsewhere/).waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'relay-elsewhere');
    // The secrets of this editor live in the page, and end with it.
    await page.reload();
    await page
      .getByRole('button', { name: 'Connect to Relay…' })
      .first()
      .waitFor({ timeout: patient(60_000) });
    await connectTo(elsewhere.url, token);
    await treeItem(page, /Made elsewhere/).waitFor({ timeout: patient(30_000) });
  });

  it('is left for the embedded one with a command', async () => {
    await runCommand(page, 'Sandpiper: Use Embedded Relay');
    await page.getByText('No sessions yet.').waitFor({ timeout: patient(60_000) });
    await statusItem(page, /sandpiper/i)
      .first()
      .waitFor();
  });
});

describe('a workspace of several folders', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;

  before(async () => {
    stage = await openEditorStage({ fallback: SCRIPT, settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    const other = join(stage.folder, 'other');
    await makeSample(other);
    await mkdir(join(stage.folder, 'plain'));
    const workspace = join(stage.folder, 'both.code-workspace');
    await writeFile(workspace, JSON.stringify({ folders: [{ path: 'slug' }, { path: 'other' }, { path: 'plain' }] }));
    page = await stage.openWindow(workspace);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('says which folder a session would start from, and lets another be chosen', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    const chat = await openChat(page);
    await waitForText(chat, 'slug');
    await chat
      .getByRole('button', { name: /^(Change|Choose Another Folder)$/ })
      .first()
      .click();
    await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'other' }).first().click();
    await waitForText(chat, 'other');
    await screenshot(page, 'several-folders');
    await startTask(chat, 'Where are you?');
    await waitForTurnEnds(await chatOf(page), 1);
    const { sessions } = await stage.client.call('session.list', {});
    assert.equal(sessions[0]?.repository.name, 'other');
  });

  it('says what is wrong with a folder that is no repository', async () => {
    const chat = await openChat(page);
    await chat
      .getByRole('button', { name: /^(Change|Choose Another Folder)$/ })
      .first()
      .click();
    await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'plain' }).first().click();
    await waitForText(chat, /neither it nor a folder above it has a \.git/);
    await eventually(async () => assert.equal(await chat.getByRole('button', { name: 'Start' }).isDisabled(), true));
  });
});

describe('a folder in Restricted Mode', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;

  before(async () => {
    stage = await openEditorStage({ fallback: SCRIPT, untrusted: true });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('lets sessions be watched and none be started, and says why', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('Trust it to start a session on it.').waitFor({ timeout: patient(60_000) });
    const chat = await openChat(page);
    await waitForText(chat, 'This folder is open in Restricted Mode.');
    await waitForText(chat, 'Manage Workspace Trust');
    assert.equal(await chat.getByRole('button', { name: 'Start' }).isDisabled(), true);
    await stage.client.call('session.create', { source: stage.repository, prompt: 'From elsewhere' });
    await treeItem(page, /From elsewhere/).waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'restricted');
  });
});
