import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { SandpiperError } from '../../protocol/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { summarize } from '../../protocol/summarize.ts';
import { startBrowserRelay, type BrowserRelay } from '../support/browserRelay.ts';
import { eventually } from '../support/eventually.ts';
import { noisePng } from '../support/noisePng.ts';
import { screenshot } from '../support/workbench.ts';
import { commit, SessionLog } from '../support/sessionLog.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { patient } from '../support/patience.ts';

const DIFF = `diff --git a/src/login.ts b/src/login.ts
--- a/src/login.ts
+++ b/src/login.ts
@@ -1,2 +1,2 @@
 const a = 1;
-const b = 2;
+const b = 3;
`;

describe('chat page in a browser', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();
  let relay: BrowserRelay;
  let page: Page;
  let log: SessionLog;
  let problems: string[];
  /** What a call answers in this test, before the ordinary answer. */
  let special: (method: string, params: Record<string, unknown>) => unknown;

  beforeEach(async () => {
    log = new SessionLog();
    log.ready();
    log.turn(1, 'Make it work');
    special = () => undefined;
    problems = [];
    relay = await startBrowserRelay(
      server().folder,
      (method, params) => special(method, params) ?? answer(method, params),
    );
    page = await browser().newPage({ viewport: { width: 1200, height: 800 }, colorScheme: 'dark' });
    page.on('pageerror', error => problems.push(error.message));
    page.on('console', message => /Content Security/.test(message.text()) && problems.push(message.text()));
  });

  afterEach(async () => {
    await page.context().close();
    await relay.close();
    assert.deepEqual(problems, []);
  });

  function answer(method: string, params: Record<string, unknown>): unknown {
    switch (method) {
      case 'session.list':
        return { sessions: [summarize(log.state)] };
      case 'session.get':
        return log.state;
      case 'session.subscribe':
        return { kind: 'replay', fromSeq: params['afterSeq'], lastSeq: log.state.seq, live: [] };
      case 'relay.info':
        return {
          providers: [{ id: 'local', available: true, isolation: 'process' }],
          agents: [],
          modelKey: { present: true, source: 'environment' },
        };
      case 'repository.inspect':
        return {
          repository: { id: 'r', name: 'webshop', source: params['source'], branch: 'main' },
          head: commit('a'),
          detached: false,
          uncommitted: 0,
          notes: [],
        };
      case 'session.create':
        return { sessionId: log.id, seq: 1 };
      case 'session.send':
        return { messageId: newId('msg'), seq: 9 };
      case 'review.list': {
        const { accepted, proposed, review } = log.state;
        return {
          accepted,
          proposed,
          review: { pendingFiles: 0, pending: 0, reviewed: review.reviewed },
          files: [],
          conflicts: [],
        };
      }
      case 'changes.acceptAll':
        return { accepted: log.state.proposed, seq: 9, left: [] };
      case 'changes.diff':
        return { diff: DIFF, truncated: false };
      default:
        return {};
    }
  }

  function called(method: string): Record<string, unknown>[] {
    return relay.calls.flatMap(call => (call.method === method ? [call.params] : []));
  }

  async function openSession(): Promise<void> {
    await page.goto(relay.url);
    await page.getByRole('navigation').getByText('Fix the flaky login test').click();
    await page.getByText('Make it work').waitFor();
  }

  it('spends its ticket, takes it out of the address, and stays signed in in this tab', async () => {
    await openSession();
    assert.equal(new URL(page.url()).hash, '');
    await page.reload();
    await page.getByText('Make it work').waitFor();
    const stranger = await browser().newPage();
    await stranger.goto(relay.url);
    await stranger.getByText('The ticket of this page is used or expired.').waitFor();
    await stranger.context().close();
  });

  it('follows a session live, and goes on by seq after the connection was lost', async () => {
    await openSession();
    const notify = (events: object[]): void => relay.notify('session.events', { sessionId: log.id, events });
    notify(log.add({ type: 'textFinished', itemId: 'a', text: { text: 'First answer' } }));
    await page.getByText('First answer').waitFor();
    const seq = log.state.seq;
    relay.cut(true);
    await page.getByText('Nothing is lost').waitFor();
    const missed = log.add({ type: 'textFinished', itemId: 'b', text: { text: 'Second answer' } });
    await page.getByLabel('Message to the agent').fill('and more');
    await page.getByLabel('Message to the agent').press('Enter');
    await page.getByText('Waiting for the relay').waitFor();
    relay.cut(false);
    await eventually(() => assert.equal(called('session.subscribe').at(-1)?.['afterSeq'], seq), 20_000);
    notify(missed);
    await page.getByText('Second answer').waitFor();
    await page.getByText('Nothing is lost').waitFor({ state: 'detached' });
    await eventually(() => assert.equal(called('session.send').length, 1));
  });

  it('says when it tries next, and tries at once when asked to', async () => {
    await openSession();
    relay.cut(true);
    // By then the pauses are so long that nobody would call it at once.
    await page.getByText(/next try in ([4-9]|10) s\./).waitFor({ timeout: patient(40_000) });
    await screenshot(page, 'browser-offline');
    relay.cut(false);
    await page.getByRole('button', { name: 'Retry Now' }).click();
    await page.getByText('Nothing is lost').waitFor({ state: 'detached', timeout: 2_000 });
  });

  it('refuses at once what would change something while there is no relay, and says so', async () => {
    await openSession();
    relay.cut(true);
    await page.getByText('Nothing is lost').waitFor();
    await page.getByRole('main').getByRole('button', { name: /^Stop/ }).click();
    await page.getByRole('alert').getByText('The relay cannot be reached, so nothing was done.').waitFor();
    relay.cut(false);
    await page.getByText('Nothing is lost').waitFor({ state: 'detached', timeout: patient(20_000) });
    assert.deepEqual(called('session.stop'), []);
  });

  it('keeps an answer over a reload while there is no relay, and sends it once', async () => {
    const input = { text: '{"command":"npm test"}' };
    log.add({
      type: 'approvalAsked',
      approvalId: 'ask1',
      kind: 'tool',
      name: 'Bash',
      title: 'npm test',
      input,
      canAlwaysAllow: false,
    });
    special = method => (method === 'session.answer' ? { seq: 9 } : undefined);
    await openSession();
    relay.cut(true);
    await page.getByText('Nothing is lost').waitFor();
    await page.getByRole('button', { name: 'Allow Once' }).click();
    for (const place of [page.getByRole('main'), page.getByRole('navigation', { name: 'Sessions' })]) {
      await place.getByText('Kept until the relay is back: Allow').waitFor();
    }
    await page.reload();
    assert.deepEqual(called('session.answer'), []);
    relay.cut(false);
    await eventually(() => assert.equal(called('session.answer').length, 1), 20_000);
    const [{ key, ...answer } = {}] = called('session.answer');
    assert.match(String(key), /^key_/);
    assert.deepEqual(answer, { sessionId: log.id, approvalId: 'ask1', decision: { kind: 'allow' } });
    await page.getByRole('main').getByText('Sending: Allow').waitFor();
  });

  it('keeps an image of a new session while there is no relay, and sends it with the first message, on a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(relay.url);
    await page.getByLabel('Repository').fill('/home/me/webshop');
    await page.getByLabel('Repository').press('Enter');
    const field = page.getByLabel('Task for the agent');
    await field.fill('Build this');
    await page.getByRole('button', { name: 'Add images' }).waitFor();
    const image = noisePng(20);
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Add images' }).click(),
    ]);
    await chooser.setFiles({ name: 'a.png', mimeType: 'image/png', buffer: image });
    await page.getByRole('img', { name: 'Image 1' }).waitFor();
    relay.cut(true);
    await page.getByText('Nothing is lost').waitFor();
    await page.reload();
    relay.cut(false);
    await page.getByRole('img', { name: 'Image 1' }).waitFor();
    await page.getByRole('button', { name: /^Start/ }).click();
    await eventually(() => assert.equal(called('session.create').length, 1));
    const [{ prompt, images } = {}] = called('session.create');
    assert.deepEqual([prompt, images], ['Build this', [{ mediaType: 'image/png', content: image.toString('base64') }]]);
  });

  it('repeats a message with the same key when its answer was lost', async () => {
    await openSession();
    let lost = false;
    special = method => {
      if (method === 'session.send' && !lost) {
        lost = true;
        relay.cut(false);
        return new Promise(() => {});
      }
      return undefined;
    };
    await page.getByLabel('Message to the agent').fill('only once');
    await page.getByLabel('Message to the agent').press('Enter');
    await eventually(() => assert.equal(called('session.send').length, 2), 20_000);
    const [first, second] = called('session.send');
    assert.equal(first?.['text'], 'only once');
    assert.deepEqual(first, second);
  });

  it('asks for the session again when the relay dropped it', async () => {
    await openSession();
    relay.notify('session.lagging', { sessionId: log.id, lastSeq: 3 });
    await eventually(() => assert.equal(called('session.subscribe').at(-1)?.['afterSeq'], log.state.seq));
  });

  it('starts a session on a folder that is typed', async () => {
    await page.goto(relay.url);
    await page.getByLabel(/Repository/).fill('/home/me/webshop');
    await page.getByLabel(/Repository/).press('Enter');
    await page.getByText('aaaaaaaa').waitFor();
    await page.getByLabel('Task for the agent').fill('Do it');
    await page.getByLabel('Task for the agent').press('Enter');
    await page.getByText('Make it work').waitFor();
    const [created] = called('session.create');
    assert.deepEqual(
      { ...created, key: typeof created?.['key'] },
      {
        source: '/home/me/webshop',
        prompt: 'Do it',
        includeUncommitted: false,
        permissionMode: 'ask',
        acceptNoIsolation: false,
        provider: 'local',
        key: 'string',
      },
    );
  });

  it('shows the changes inside the page, and accepts what was shown', async () => {
    log.finish(1);
    await openSession();
    await page.getByRole('button', { name: 'Open Changes' }).click();
    await page.getByRole('heading', { name: '0 files to review' }).waitFor();
    await page.getByRole('button', { name: 'All of the session' }).click();
    await page.locator('.diffPanel .added', { hasText: 'const b = 3;' }).waitFor();
    assert.deepEqual(called('changes.diff'), [{ sessionId: log.id, from: 'base', to: 'proposed' }]);
    await page.locator('.changes').getByRole('button', { name: 'Accept All' }).click();
    await eventually(() => assert.equal(called('changes.acceptAll')[0]?.['expectedProposed'], log.state.proposed));
  });

  it('opens a pull request only after it was confirmed', async () => {
    log.finish(1);
    special = method => {
      if (method === 'pullRequest.open') {
        throw new SandpiperError('forge_unauthorized', 'GitHub refused the token.', { hint: 'Set another one.' });
      }
      return undefined;
    };
    await openSession();
    await page.getByRole('button', { name: 'Create Pull Request' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(called('pullRequest.open'), []);
    await page.getByRole('button', { name: 'Create Pull Request' }).click();
    await page.getByRole('button', { name: 'Push and Open' }).click();
    await page.getByRole('alert').getByText('GitHub refused the token.').waitFor();
    assert.equal(called('pullRequest.open')[0]?.['draft'], true);
  });

  it('searches all sessions, and shows the place that is chosen', async () => {
    log.add({ type: 'textFinished', itemId: 'said', text: { text: 'The walnut is here' } });
    special = (method, params) => {
      if (method !== 'session.search') {
        return undefined;
      }
      const hit = { sessionId: log.id, title: 'Fix', archived: false, seq: 9, at: 1, kind: 'text', itemId: 'said' };
      const snippet = { text: 'The walnut <b>is</b> here', marks: [[4, 10]] };
      return { hits: params['query'] === 'walnut' ? [{ ...hit, snippet }] : [], more: false };
    };
    await page.goto(relay.url);
    const field = page.getByRole('textbox', { name: 'Search all sessions' });
    await field.fill('nothing');
    await page.getByText('Nothing found.').waitFor();
    await field.fill('walnut');
    const hit = page.getByRole('button', { name: 'The walnut <b>is</b> here' });
    assert.equal(await hit.locator('mark').innerText(), 'walnut');
    await hit.click();
    await page.locator('[data-row=said]:focus').waitFor();
    await field.press('Escape');
    await page.locator('.sessionRow .sessionFacts').first().waitFor();
  });

  it('saves all of a session as a document', async () => {
    log.add({ type: 'textFinished', itemId: 'said', text: { text: 'The walnut is here' } });
    special = (method, params) =>
      method === 'session.events'
        ? { events: log.events.slice(Number(params['after'])), lastSeq: log.state.seq }
        : undefined;
    await page.goto(relay.url);
    await page.locator('.sessionRow').first().click();
    await page.getByRole('button', { name: 'Export this session' }).click();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    const download = await saved;
    assert.match(download.suggestedFilename(), /^fix-the-flaky-login-test-\w{6}\.md$/);
    assert.match(await readFile(await download.path(), 'utf8'), /^> The walnut is here$/m);
  });
});
