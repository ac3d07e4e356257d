import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, press, sendMessage, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import type { StepInput } from '../../support/modelScript.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { RelayProcess } from '../../support/relayProcess.ts';
import { screenshot, statusItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

describe('the connection to the relay, as a person sees it', function () {
  this.timeout(180_000);
  /** What the model does in the next session. */
  const script: StepInput[] = [];
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async () => {
    stage = await openEditorStage({ fallback: script, settings: { 'sandpiper.session.permissionMode': 'ask' } });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  async function begin(task: string, ...steps: StepInput[]): Promise<void> {
    script.splice(0, script.length, ...steps);
    chat = await openChat(page);
    await startTask(chat, task);
  }

  /** Whatever happens to the connection is no reason to stand in the way. */
  async function assertUndisturbed(): Promise<void> {
    assert.deepEqual(
      [
        await page.locator('.monaco-dialog-box').count(),
        await page.locator('.notification-toast .codicon-error').count(),
      ],
      [0, 0],
    );
  }

  it('keeps an answer and a message while the relay stands still, and sends each once', async () => {
    await begin(
      'Ask me',
      { tool: 'Bash', input: { command: 'echo hi > asked.txt' } },
      { text: 'Done as you allowed.' },
      { text: 'And this too.' },
    );
    await chat.getByRole('button', { name: 'Allow Once' }).waitFor({ timeout: patient(60_000) });
    // Its port still takes connections and nothing is answered: what was sent vanishes, and nobody is told.
    const pid = await stage.relayPid();
    process.kill(pid, 'SIGSTOP');
    try {
      await press(chat, 'Allow Once');
      await waitForText(chat, 'Sending: Allow');
      await waitForText(chat, 'Kept until the relay is back: Allow');
      await chat.getByText(/^Reconnecting, /).waitFor();
      await statusItem(page, 'Sandpiper: relay offline, retry now').waitFor();
      await sendMessage(chat, 'Written meanwhile');
      await chat.locator('.outgoing').getByText('Waiting for the relay').waitFor();
      await press(chat, 'Stop');
      await chat.getByText('The relay cannot be reached, so nothing was done.').waitFor({ timeout: patient(20_000) });
      await screenshot(page, 'connection-answer-kept');
      await assertUndisturbed();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // Pressed in the middle of an attempt it does no harm.
    await statusItem(page, 'Sandpiper: relay offline, retry now')
      .click({ timeout: 1_000 })
      .catch(() => {});
    await waitForText(chat, 'Done as you allowed.');
    await waitForText(chat, 'And this too.');
    await waitForTurnEnds(chat, 2);
    await chat.getByText('Nothing is lost.').waitFor({ state: 'detached' });
    const { sessions } = await stage.client.call('session.list', {});
    const sessionId = sessions[0]?.id ?? '';
    const { events } = await stage.client.call('session.events', { sessionId, limit: 1000 });
    const count = (type: string): number => events.filter(({ body }) => body.type === type).length;
    assert.deepEqual(
      ['approvalAnswered', 'messageQueued', 'stopRequested', 'turnFinished'].map(count),
      [1, 2, 0, 2],
      'each was taken once, and what was refused did not happen later',
    );
  });

  it('comes back by itself when the relay is killed, and loses no letter of what is being typed', async () => {
    await begin('Say something', { text: 'Something.' }, { text: 'Heard you.' });
    await waitForTurnEnds(chat, 1);
    const box = chat.getByRole('textbox', { name: 'Message to the agent' });
    await box.pressSequentially('Half of a sent');
    const before = await stage.relayPid();
    process.kill(before, 'SIGKILL');
    await chat.getByText('Nothing is lost.').waitFor();
    await screenshot(page, 'connection-relay-killed');
    await box.pressSequentially('ence.');
    assert.equal(await box.inputValue(), 'Half of a sentence.');
    await chat.getByText('Nothing is lost.').waitFor({ state: 'detached', timeout: patient(60_000) });
    assert.notEqual(await stage.relayPid(), before);
    assert.equal(await box.inputValue(), 'Half of a sentence.');
    await box.press('Enter');
    await waitForText(chat, 'Heard you.');
    await waitForTurnEnds(chat, 2);
    await assertUndisturbed();
  });
});

describe('a relay that the editor may not start', function () {
  this.timeout(180_000);
  let stage: EditorStage;
  let relay: RelayProcess;
  let page: Page;

  before(async () => {
    stage = await openEditorStage({
      fallback: [{ text: 'Something.' }, { text: 'Here again.' }],
      machineSettings: { 'sandpiper.relay.startAutomatically': false },
      settings: { 'sandpiper.session.permissionMode': 'autopilot' },
    });
    relay = new RelayProcess({ dataFolder: stage.dataFolder, env: stage.env });
    await relay.start();
    page = await stage.openWindow();
  });
  after(async () => {
    await stage?.dispose();
    await relay?.stop();
  });
  pictureOfFailure(() => page);

  it('is counted down to, and tried at once when the person says so, from the chat and from the status bar', async () => {
    const chat = await openChat(page);
    await startTask(chat, 'Say something');
    await waitForTurnEnds(chat, 1);
    const offline = statusItem(page, 'Sandpiper: relay offline, retry now');
    await relay.stop('SIGKILL');
    // By then the pauses are so long that nobody would call it at once.
    await chat.getByText(/next try in ([6-9]|10) s\./).waitFor({ timeout: patient(60_000) });
    await offline.getByText(/relay offline, \d+ s/).waitFor();
    await screenshot(page, 'connection-countdown');
    // It is tried in vain, so the pauses begin anew.
    await press(chat, 'Retry Now');
    await chat.getByText('next try in 1 s.').waitFor({ timeout: 4_000 });
    await chat.getByText(/next try in ([6-9]|10) s\./).waitFor({ timeout: patient(60_000) });
    await sendMessage(chat, 'Are you there?');
    await chat.locator('.outgoing').getByText('Waiting for the relay').waitFor();
    await relay.start();
    await offline.click();
    await chat.getByText('Nothing is lost.').waitFor({ state: 'detached' });
    await waitForText(chat, 'Here again.');
    await waitForTurnEnds(chat, 2);
    assert.equal(await page.locator('.monaco-dialog-box').count(), 0);
    assert.equal(await page.locator('.notification-toast .codicon-error').count(), 0);
  });
});
