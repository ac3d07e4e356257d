import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { summarize } from '../../protocol/summarize.ts';
import { NO_USAGE } from '../../protocol/usage.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { SessionLog } from '../support/sessionLog.ts';
import { serveWebview, type WebviewServer } from '../support/webviewBundle.ts';
import { openWebviewPage, type WebviewPage } from '../support/webviewPage.ts';

const CAUSE = 'The agent has been silent for 2 min: no output, no call to the model, no tool.';

describe('an agent that hangs or ended, in the page', function () {
  this.timeout(60_000);
  let browser: Browser;
  let server: WebviewServer;
  let chat: WebviewPage;
  let log: SessionLog;

  before(async () => {
    [browser, server] = await Promise.all([launchChromium(), serveWebview()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    log = new SessionLog(Date.now() - 300_000);
    log.ready();
    log.turn(1, 'Go');
    chat = await openWebviewPage(browser, server.url);
    await chat.tell(
      { type: 'connection', state: 'connected' },
      { type: 'open', sessionId: log.id, state: log.state, live: [] },
    );
  });
  afterEach(() => chat.close());

  const activity = () => chat.page.locator('.activity').innerText();
  const recover = () => chat.page.getByRole('button', { name: 'Recover' });
  const tell = (...bodies: Parameters<SessionLog['add']>) =>
    chat.tell({ type: 'events', sessionId: log.id, events: log.add(...bodies) });

  it('is called stuck, with the cause and Recover, until it goes on', async () => {
    await tell({
      type: 'stuckNoticed',
      cause: CAUSE,
      since: Date.now() - 250_000,
      hint: 'Recover it.',
      automatic: false,
    });
    await eventually(async () => assert.match(await activity(), /Stuck: silent for 4 min/));
    assert.match(await chat.page.getByRole('region', { name: 'The agent is stuck' }).innerText(), /no tool/);
    await recover().click();
    await eventually(() => assert.deepEqual(chat.asked('retry'), [{ sessionId: log.id }]));
    await tell({ type: 'recoveryStarted', by: 'owner', attempt: 1, delayMs: 0, cause: CAUSE });
    await eventually(async () => assert.match(await activity(), /Ending the agent/));
    assert.equal(await recover().count(), 0);
    assert.deepEqual(chat.problems, []);
  });

  it('offers to go on with a turn that was cut off, and warns of what may be half done', async () => {
    await tell(
      { type: 'toolStarted', toolId: 't1', name: 'Bash', title: 'make install', input: { text: '{}' } },
      { type: 'agentEnded', segment: 1, exitCode: 137, expected: false, cause: 'The agent process ended.' },
      { type: 'agentFinished', turn: 1, outcome: 'failed', usage: NO_USAGE, durationMs: 5 },
      {
        type: 'turnFinished',
        turn: 1,
        outcome: 'failed',
        checkpoint: log.state.base,
        changed: false,
        stats: log.state.stats,
        review: { pendingFiles: 0, pending: 0, reviewed: 0 },
      },
    );
    await eventually(async () => assert.match(await activity(), /Interrupted/));
    const card = chat.page.getByRole('region', { name: 'The turn was cut off' });
    assert.match(await card.innerText(), /may be half done/);
    assert.equal(await recover().count(), 1);
  });

  it('shows what only the relay sees, as long as nothing else happened', async () => {
    const row = () => summarize(log.state, { kind: 'model', since: Date.now() - 30_000 });
    await chat.tell({ type: 'sessions', summaries: [row()] });
    await eventually(async () => assert.match(await activity(), /Waiting for the model\s+3\d s/));
    await tell({ type: 'toolStarted', toolId: 't1', name: 'Bash', title: 'npm test', input: { text: '{}' } });
    await eventually(async () => assert.match(await activity(), /npm test/));
  });
});
