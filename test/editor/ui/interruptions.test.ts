import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import {
  chatOf,
  openChat,
  press,
  sendMessage,
  startTask,
  toolCard,
  waitForText,
  waitForTurnEnds,
} from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import type { StepInput } from '../../support/modelScript.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { statusItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

/** A text that takes three seconds to come. */
const STORY = Array.from({ length: 30 }, (_, index) => `part ${index + 1}`).join(', ');
const SLOW = { deltas: 30, delayMs: 100 };

describe('a turn that does not go straight to its end', function () {
  this.timeout(60_000);
  /** What the model does in the next session. */
  const script: StepInput[] = [];
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  const begin = async (task: string, ...steps: StepInput[]): Promise<void> => {
    script.splice(0, script.length, ...steps);
    chat = await openChat(page);
    await startTask(chat, task);
  };
  /** Nothing was lost or told twice: in the log and on the page. */
  const assertWhole = async (...texts: string[]): Promise<void> => {
    const { sessions } = await stage.client.call('session.list', {});
    const sessionId = sessions.toSorted((one, other) => other.createdAt - one.createdAt)[0]?.id ?? '';
    const { items, turns } = await stage.client.call('session.get', { sessionId });
    assert.deepEqual(
      turns.map(turn => turn.agent?.outcome),
      ['completed'],
    );
    assert.deepEqual(
      items.flatMap(item => (item.kind === 'text' ? [item.text.text] : [])),
      texts,
    );
    for (const text of texts) {
      assert.equal(await chat.getByText(text, { exact: true }).count(), 1, text);
    }
  };

  before(async () => {
    stage = await openEditorStage({ fallback: script, settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('is stopped in the middle of a command, and takes another message', async () => {
    await begin(
      'Wait for me',
      { text: 'I wait.', tool: 'Bash', input: { command: 'tail -f /dev/null' } },
      { text: 'Then I do this instead.' },
      // The next agent resumes the conversation and puts an answer of its own where the stopped one stood.
      { text: 'Then I do this instead.' },
    );
    await toolCard(chat, 'tail -f /dev/null').waitFor({ timeout: patient(30_000) });
    await statusItem(page, 'Sandpiper: 1 running').waitFor();
    await press(chat, 'Stop');
    await waitForTurnEnds(chat, 1);
    await chat.locator('.turnEnd').getByText('Stopped').waitFor();
    await toolCard(chat, 'tail -f /dev/null').getByText('Stopped', { exact: true }).waitFor();
    await sendMessage(chat, 'Do something else');
    await waitForText(chat, 'Then I do this instead.');
    await waitForTurnEnds(chat, 2);
  });

  it('queues a message that is written meanwhile, and takes it when the turn is over', async () => {
    await begin('Tell a story', { text: STORY, ...SLOW }, { text: 'And this is the second answer.' });
    await waitForText(chat, /^part 1,/);
    await sendMessage(chat, 'And another one');
    const message = chat.locator('.message').filter({ hasText: 'And another one' });
    await message.getByText('Queued').waitFor();
    await waitForText(chat, 'And this is the second answer.');
    await message.getByText('Taken up').waitFor();
    await waitForTurnEnds(chat, 2);
  });

  it('is all there when the window is loaded again in its middle', async () => {
    await begin(
      'Work over a reload',
      { text: 'Before the reload.', tool: 'Bash', input: { command: 'sh test.sh || true' } },
      { text: STORY, ...SLOW },
    );
    await waitForText(chat, /^part 1,/);
    await page.reload();
    chat = await chatOf(page);
    await waitForText(chat, 'Before the reload.');
    await waitForTurnEnds(chat, 1);
    await toolCard(chat, 'sh test.sh').waitFor();
    await assertWhole('Before the reload.', STORY);
  });

  it('is all there when the relay is killed in its middle', async () => {
    await begin(
      'Work over a crash',
      { text: 'Before the crash.', tool: 'Bash', input: { command: 'echo new > new.txt' } },
      { text: STORY, ...SLOW },
    );
    await waitForText(chat, /^part 1,/);
    const killed = await stage.relayPid();
    process.kill(killed, 'SIGKILL');
    await eventually(async () => assert.notEqual(await stage.relayPid(), killed), 20_000);
    await waitForTurnEnds(chat, 1);
    await waitForText(chat, 'Ready to review');
    await assertWhole('Before the crash.', STORY);
    assert.equal(await chat.getByRole('alert').count(), 0);
  });
});
