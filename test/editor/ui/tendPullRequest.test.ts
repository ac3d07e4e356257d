import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import type { SessionState } from '../../../protocol/session.ts';
import { chatOf, press, sendMessage, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { bash, idle } from '../../support/landing.ts';
import { scripted } from '../../support/modelScript.ts';
import { answerInput, runCommand } from '../../support/palette.ts';
import { patient } from '../../support/patience.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { plainGit } from '../../support/plainGit.ts';
import { chooseInMenu, notification, screenshot, treeItem } from '../../support/workbench.ts';

const TITLE = 'A better title';
const WORK = 'sed -i "1s/.*/# Session/" README.md; echo new > added.txt';

/** A pull request that is open, with all that happens to it on its forge; each test goes on where the one before ended. */
describe('tending a pull request in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;
  let card: Locator;
  let sessionId = '';
  let branch = '';

  before(async () => {
    stage = await openEditorStage({ env: { SANDPIPER_PULL_REQUEST_SECONDS: '0.2' } });
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    ({ sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Write it down @@${JSON.stringify(bash(WORK))}`,
      title: TITLE,
      permissionMode: 'autopilot',
    }));
    await rests(1);
    const { pullRequest } = await stage.client.call('pullRequest.open', { sessionId });
    ({ branch } = pullRequest);
    await treeItem(page, new RegExp(`^${TITLE},`)).click();
    chat = await chatOf(page);
    await waitForTurnEnds(chat, 1);
    card = chat.getByRole('group', { name: 'Pull request' });
    await card.getByText('Pull Request #1').waitFor();
    const { talk } = stage.github.people('octo', 'slug');
    talk.permissions.set('alice', 'write').set('sandpiper-tester', 'write');
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);
  afterEach(() => runCommand(page, 'Notifications: Clear All Notifications'));

  const state = (): Promise<SessionState> => stage.client.call('session.get', { sessionId });
  const rests = (turns: number): Promise<void> => eventually(async () => assert.ok(idle(turns)(await state())), 60_000);
  const git = async (folder: string, args: readonly string[]): Promise<string> => {
    const basic = Buffer.from(`x-access-token:${stage.github.token}`).toString('base64');
    return plainGit(folder, ['-c', `http.extraHeader=Authorization: Basic ${basic}`, ...args]);
  };
  const remote = (): Promise<string> => plainGit(stage.repository, ['remote', 'get-url', 'origin']);
  /** A file of a branch on the forge. */
  const onForge = async (name: string, path: string): Promise<string> => {
    await git(stage.repository, ['fetch', '-q', await remote(), name]);
    return plainGit(stage.repository, ['show', `FETCH_HEAD:${path}`]);
  };
  /** Runs a command in a clone of the base branch, and pushes what it changed. */
  const moveBase = async (command: string): Promise<void> => {
    const elsewhere = join(stage.folder, 'theirs');
    await git(stage.folder, ['clone', '-q', '-b', 'main', await remote(), elsewhere]);
    await plainGit(elsewhere, ['-c', `alias.do=!${command}`, 'do']);
    await plainGit(elsewhere, ['add', '.']);
    await plainGit(elsewhere, ['commit', '-qm', 'Their work']);
    await git(elsewhere, ['push', '-q', 'origin', 'HEAD:main']);
    await rm(elsewhere, { recursive: true });
  };

  it('says that the base moved on, and brings it into the session and the pull request at a press', async () => {
    await moveBase('echo base > base.txt');
    await card.getByText('1 behind its base').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'tend-behind');
    await press(chat, 'Update from Base');
    await notification(page, 'Pull request #1 has what main has since.').waitFor({ timeout: patient(30_000) });
    await card.getByText('1 behind its base').waitFor({ state: 'detached', timeout: patient(30_000) });
    await screenshot(page, 'tend-updated');
    assert.equal(await onForge(branch, 'base.txt'), 'base');
    assert.equal(await onForge(branch, 'added.txt'), 'new');
  });

  it('says that there is nothing to do, from the palette', async () => {
    await runCommand(page, 'Sandpiper: Update Pull Request From Base');
    await notification(page, 'Pull request #1 had all of main already.').waitFor({ timeout: patient(30_000) });
    await runCommand(page, 'Sandpiper: Fix Failed Checks of Pull Request');
    await notification(page, 'No check of the newest commit of pull request #1 has failed.').waitFor({
      timeout: patient(30_000),
    });
    await runCommand(page, 'Sandpiper: Address Review of Pull Request');
    await notification(page, 'No review of pull request #1').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'tend-nothing');
    assert.equal((await state()).turns.length, 1);
  });

  it('has the agent repair failed checks at a press, and lands what it did', async () => {
    const { talk } = stage.github.people('octo', 'slug');
    const { pullRequest } = await state();
    const commit = pullRequest?.headCommit ?? '';
    const log = scripted('Error: expected 2', bash('echo 2 > fixed.txt'));
    talk.checks.push({ id: 1, commit, name: 'unit tests', conclusion: 'failure', log });
    await card.getByText('checks failed: unit tests').waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'tend-checks');
    await press(chat, 'Fix Checks');
    await waitForTurnEnds(chat, 2);
    await waitForText(chat, 'failed checks of #1');
    await screenshot(page, 'tend-checks-fixed');
    await rests(2);
    await press(chat, 'Update Pull Request');
    await eventually(async () => assert.equal(await onForge(branch, 'fixed.txt'), '2'), 30_000);
    await card.getByText('checks failed').waitFor({ state: 'detached', timeout: patient(30_000) });
  });

  it('has the agent address a review, from the palette', async () => {
    const { talk } = stage.github.people('octo', 'slug');
    const body = scripted('Make it 3.', bash('echo 3 > three.txt'));
    talk.review(1, 'alice', { state: 'CHANGES_REQUESTED', comments: [{ path: 'added.txt', line: 1, body }] });
    await card.getByText('changes requested').waitFor({ timeout: patient(30_000) });
    await card.getByRole('button', { name: 'Address Review' }).waitFor();
    await screenshot(page, 'tend-review');
    await runCommand(page, 'Sandpiper: Address Review of Pull Request');
    await waitForTurnEnds(chat, 3);
    await waitForText(chat, 'review of #1 by alice');
    await screenshot(page, 'tend-review-addressed');
    await rests(3);
  });

  it('waits for the end of a turn with what changes the files', async () => {
    await moveBase('echo more > more.txt');
    await card.getByText('1 behind its base').waitFor({ timeout: patient(30_000) });
    await sendMessage(chat, `Wait @@${JSON.stringify(bash('tail -f /dev/null'))}`);
    await eventually(async () => {
      assert.ok((await state()).items.some(item => item.kind === 'tool' && item.state === 'running'));
    }, 45_000);
    await press(chat, 'Update from Base');
    await card.getByText('The agent is at work.').waitFor();
    await screenshot(page, 'tend-busy');
    await press(chat, 'Stop');
    await waitForTurnEnds(chat, 4);
    await rests(4);
    await card.getByText('The agent is at work.').waitFor({ state: 'detached' });
    await chooseInMenu(page, treeItem(page, new RegExp(`^${TITLE},`)), 'Update Pull Request From Base', () =>
      notification(page, 'Pull request #1 has what main has since.').waitFor({ timeout: 5000 }),
    );
    await screenshot(page, 'tend-after-busy');
  });

  it('names a conflict, changes nothing, and leads to the branch on which it is merged by hand', async () => {
    await moveBase('sed -i "1s/.*/# Base/" README.md');
    await card.getByText('conflicts with its base').waitFor({ timeout: patient(30_000) });
    const before = await state();
    await press(chat, 'Update from Base');
    await card.getByText('main and this session change the same lines of README.md').waitFor();
    const told = notification(page, 'main and this session change the same lines of README.md');
    await told.getByRole('button', { name: 'Open in Browser' }).waitFor();
    await screenshot(page, 'tend-conflict');
    const { base, proposed, pullRequest } = await state();
    assert.deepEqual([base, proposed, pullRequest], [before.base, before.proposed, before.pullRequest]);
    await git(stage.repository, ['fetch', '-q', await remote(), 'main']);
    await told.getByRole('button', { name: 'Check Out Branch…' }).click();
    await page.getByText('Name of the branch in your repository').waitFor({ timeout: patient(30_000) });
    await answerInput(page, branch);
    await notification(page, `Switched to ${branch}.`).waitFor({ timeout: patient(30_000) });
    await screenshot(page, 'tend-conflict-branch');
    await plainGit(stage.repository, ['merge', '-q', '-X', 'ours', '--no-edit', 'FETCH_HEAD']);
    await git(stage.repository, ['push', '-q', await remote(), `HEAD:refs/heads/${branch}`]);
    await card.getByText('conflicts with its base').waitFor({ state: 'detached', timeout: patient(30_000) });
    await card.getByText('change the same lines').waitFor({ state: 'detached' });
    await screenshot(page, 'tend-conflict-merged');
  });
});
