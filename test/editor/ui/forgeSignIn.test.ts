import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, press, startTask, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { answerInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { patient } from '../../support/patience.ts';

const SCRIPT = [{ tool: 'Bash', input: { command: 'echo new > added.txt' } }, { text: 'Done.' }];

describe('a pull request without a token in the relay', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async () => {
    stage = await openEditorStage({
      fallback: SCRIPT,
      machineSettings: { 'sandpiper.session.permissionMode': 'autopilot' },
      env: { SANDPIPER_GITHUB_TOKEN: undefined, GITHUB_TOKEN: undefined },
    });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const dialog = () => page.getByRole('dialog').filter({ hasText: 'Sign in to 127.0.0.1?' });

  it('asks for one, and nothing happens when the person declines', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    chat = await openChat(page);
    await startTask(chat, 'Add a file');
    await waitForTurnEnds(chat, 1);
    await press(chat, 'Create Pull Request');
    await dialog().getByText('There is no token for 127.0.0.1').waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
    assert.equal(stage.github.pullRequests().length, 0);
  });

  it('is opened with the token that the person enters, and updated with it later', async () => {
    await press(chat, 'Create Pull Request');
    await dialog().getByRole('button', { name: 'Enter Token…' }).click();
    await page.getByText('Kept in the secret storage of the editor').waitFor();
    await answerInput(page, stage.github.token);
    await chat.getByRole('button', { name: 'Pull Request #1' }).waitFor({ timeout: patient(30_000) });
    await press(chat, 'Update Pull Request');
    await chat.locator('button:enabled', { hasText: 'Update Pull Request' }).waitFor();
    assert.equal(await dialog().count(), 0);
    assert.equal(stage.github.pullRequests().length, 1);
  });
});
