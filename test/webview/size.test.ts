import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SessionState } from '../../protocol/session.ts';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage, type WebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';

/** Before anything is drawn, and with what a session usually shows: formatted answers and tool calls. */
const START_KB = 50;
const SESSION_KB = 70;
const EVENTS = 10_000;
const DELTAS = 2_000;

/** What the page costs. The limits of time are wide: they find what has become slow by its nature, not a busy machine. */
describe('size of the chat page', function () {
  this.timeout(120_000);
  const { browser, server } = useWebview();
  let chat: WebviewPage;

  beforeEach(async () => {
    chat = await openWebviewPage(browser(), server().url);
  });

  afterEach(async () => {
    assert.deepEqual(chat.problems, []);
    await chat.close();
  });

  async function loadedKb(): Promise<{ kb: number; paths: string[] }> {
    const paths = await chat.page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(entry => new URL(entry.name))
        .filter(url => url.protocol !== 'data:')
        .map(url => url.pathname),
    );
    const sizes = await Promise.all(
      paths.map(async path => gzipSync(await readFile(join(server().folder, path)), { level: 9 }).length),
    );
    return { kb: sizes.reduce((sum, size) => sum + size, 0) / 1024, paths };
  }

  it('loads no more than its budget before it is drawn, and not much more for a session', async () => {
    const start = await loadedKb();
    console.log(`      ${start.kb.toFixed(1)} KB gzip in ${start.paths.length} files`);
    assert.ok(start.kb <= START_KB, `${start.kb} KB: ${start.paths.join(' ')}`);
    assert.ok(
      !start.paths.some(path => /highlighter|browser|later|seldom|Markdown/.test(path)),
      'what is not needed waits',
    );
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    log.add({ type: 'textFinished', itemId: 'x', text: { text: '**Done**' } });
    log.tool('t', 'Edit', 'a.ts', { file_path: 'a.ts', old_string: 'a', new_string: 'b' }, 'ok');
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.locator('.markdown strong', { hasText: 'Done' }).waitFor();
    await chat.page.locator('[data-tool=t] .toolBody').waitFor();
    const session = await loadedKb();
    console.log(`      ${session.kb.toFixed(1)} KB gzip with an answer and an edit on show`);
    assert.ok(session.kb <= SESSION_KB, `${session.kb} KB: ${session.paths.join(' ')}`);
  });

  function longLog(): SessionLog {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    while (log.events.length < EVENTS - 2) {
      const index = log.events.length;
      log.add({ type: 'textFinished', itemId: `x${index}`, text: { text: `Step **${index}** does \`thing\`.` } });
      log.tool(`t${index}`, 'Bash', `npm test ${index}`, { command: `npm test ${index}` }, 'ok\n'.repeat(5));
    }
    return log;
  }

  /** Milliseconds until what was told is on the screen. */
  function drawnAfter(messages: object[]): Promise<number> {
    return chat.page.evaluate(async list => {
      const begin = performance.now();
      for (const data of list) {
        window.dispatchEvent(new MessageEvent('message', { data }));
      }
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      return performance.now() - begin;
    }, messages);
  }

  function openMessage(log: SessionLog, state: SessionState | null): object {
    return { type: 'open', sessionId: log.id, state, live: [] };
  }

  it('opens a session of 10,000 events, whole, as a snapshot and as a replay', async () => {
    const log = longLog();
    const whole = await drawnAfter([openMessage(log, log.state)]);
    assert.equal(await chat.page.locator('.row').count(), 200);
    await drawnAfter([{ type: 'open', sessionId: null, state: null, live: [] }]);
    const items = log.state.items.slice(-200);
    const omittedItems = log.state.items.length - items.length;
    const snapshot = await drawnAfter([openMessage(log, { ...log.state, items, omittedItems })]);
    await drawnAfter([{ type: 'open', sessionId: null, state: null, live: [] }]);
    const replay = await drawnAfter([
      openMessage(log, null),
      ...Array.from({ length: EVENTS / 500 }, (_, page) => ({
        type: 'events',
        sessionId: log.id,
        events: log.events.slice(page * 500, page * 500 + 500),
      })),
    ]);
    assert.equal(await chat.page.locator('.row').count(), 200);
    console.log(
      `      whole ${whole.toFixed(0)} ms, snapshot ${snapshot.toFixed(0)} ms, replay ${replay.toFixed(0)} ms`,
    );
    for (const ms of [whole, snapshot, replay]) {
      assert.ok(ms < 5_000, `${ms} ms`);
    }
    await chat.page.getByRole('button', { name: 'Show earlier' }).click();
    await chat.page.waitForFunction(() => document.querySelectorAll('.row').length === 400);
  });

  /** How many there are once the parts that are loaded late are drawn too. */
  function settledNodes(): Promise<number> {
    return chat.page.evaluate(async quietMs => {
      let last = performance.now();
      const observer = new MutationObserver(() => (last = performance.now()));
      observer.observe(document.body, { childList: true, subtree: true });
      while (performance.now() - last < quietMs) {
        await new Promise(done => setTimeout(done, quietMs / 5));
      }
      observer.disconnect();
      return document.querySelectorAll('*').length;
    }, 500);
  }

  it('draws an event in a long session without drawing the rest again', async () => {
    const log = longLog();
    await drawnAfter([openMessage(log, log.state)]);
    const nodes = await settledNodes();
    const changed = await chat.page.evaluate(
      async ({ sessionId, events }) => {
        let added = 0;
        const observer = new MutationObserver(records =>
          records.forEach(record => (added += record.addedNodes.length)),
        );
        observer.observe(document.querySelector('.rows') ?? document.body, { childList: true, subtree: true });
        window.dispatchEvent(new MessageEvent('message', { data: { type: 'events', sessionId, events } }));
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        observer.disconnect();
        return added;
      },
      { sessionId: log.id, events: log.add({ type: 'textFinished', itemId: 'new', text: { text: 'New' } }) },
    );
    assert.ok(changed < 10, `${changed} nodes came with one event`);
    assert.ok(nodes < 12_000, `${nodes} nodes`);
  });

  it('draws 2,000 deltas as they come', async () => {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    await drawnAfter([openMessage(log, log.state)]);
    const part = 'A sentence with **bold** words and `code`. ';
    const parts = Array.from({ length: DELTAS }, (_, index) =>
      index % 50 === 49 ? '\n\n```ts\nconst a = 1;\n```\n\n' : index % 9 === 8 ? '\n\n' : part,
    );
    const { frames, longest, totalMs } = await chat.page.evaluate(
      async ({ sessionId, texts }) => {
        let offset = 0;
        let frameCount = 0;
        let longestFrame = 0;
        const begin = performance.now();
        let last = begin;
        for (let index = 0; index < texts.length; index += 10) {
          for (const text of texts.slice(index, index + 10)) {
            const data = { type: 'delta', sessionId, itemId: 'x', kind: 'text', offset, text };
            window.dispatchEvent(new MessageEvent('message', { data }));
            offset += text.length;
          }
          await new Promise(done => requestAnimationFrame(done));
          frameCount++;
          longestFrame = Math.max(longestFrame, performance.now() - last);
          last = performance.now();
        }
        return { frames: frameCount, longest: longestFrame, totalMs: performance.now() - begin };
      },
      { sessionId: log.id, texts: parts },
    );
    console.log(
      `      ${frames} frames in ${totalMs.toFixed(0)} ms (${(totalMs / frames).toFixed(1)} ms each), longest ${longest.toFixed(0)} ms`,
    );
    assert.ok(totalMs / frames < 60, `${totalMs / frames} ms a frame`);
    const text = parts.join('');
    await chat.tell({
      type: 'events',
      sessionId: log.id,
      events: log.add({ type: 'textFinished', itemId: 'x', text: { text } }),
    });
    const shown = await chat.page
      .locator('.answer')
      .evaluate(answer => answer.textContent.split('A sentence').length - 1);
    assert.equal(shown, text.split('A sentence').length - 1);
    assert.equal(await chat.page.locator('.answer .codeBlock').count(), DELTAS / 50);
  });
});
