import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { openChat, sendMessage, startTask, waitForText, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot } from '../../support/workbench.ts';

describe('a message that is written while the relay is away', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async () => {
    stage = await openEditorStage({
      fallback: [{ text: 'First answer.' }, { text: 'Second answer.' }],
      settings: { 'sandpiper.session.permissionMode': 'autopilot' },
    });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('waits over a reload of the window and is sent once', async () => {
    chat = await openChat(page);
    await startTask(chat, 'Begin');
    await waitForText(chat, 'First answer.');
    await waitForTurnEnds(chat, 1);
    // Stopped, it neither answers nor is replaced: the port still takes connections, as on a laptop that sleeps.
    const pid = await stage.relayPid();
    process.kill(pid, 'SIGSTOP');
    try {
      await sendMessage(chat, 'Written meanwhile');
      await chat.locator('.outgoing').getByText('Written meanwhile').waitFor();
      await screenshot(page, 'offline-message');
      await page.reload();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => {
      const { sessions } = await stage.client.call('session.list', {});
      const { items, turns } = await stage.client.call('session.get', { sessionId: sessions[0]?.id ?? '' });
      assert.deepEqual(
        items.flatMap(item => (item.kind === 'message' ? [item.text] : [])),
        ['Begin', 'Written meanwhile'],
      );
      assert.equal(turns.filter(turn => turn.checkpoint).length, 2);
    }, 60_000);
  });
});
