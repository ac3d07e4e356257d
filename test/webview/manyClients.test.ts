import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { WATCH_TIMES } from '../../client/link/silenceWatch.ts';
import type { RelayClient } from '../../client/relayClient.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { startBadLine } from '../support/badLine.ts';
import type { BadLine } from '../support/badLine.ts';
import { RawPhone } from '../support/rawPhone.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { collectEvents, wireClient } from '../support/wireClient.ts';
import { seededRandom } from '../support/wireProxy.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { until } from '../support/wireUntil.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_121);
const EVENTS = 130;
const FAST = { ...WATCH_TIMES, tickMs: 20, silenceMs: 300, awaitedMs: 150, answerMs: 300, wakeAnswerMs: 200 };
const MARK = /#\w+#/g;

describe('two windows, a phone and a browser page on one session', function () {
  this.timeout(180_000);
  const { browser, server: bundle } = useWebview();
  let relay: WireServer;
  let lines: BadLine[];
  let clients: RelayClient[];
  let phone: RawPhone | undefined;
  let page: Page;
  let sessionId: string;

  beforeEach(async () => {
    console.log(`      seed ${SEED}`);
    const random = seededRandom(SEED);
    const line = (vanishing: number): Promise<BadLine> =>
      startBadLine({ targetPort: () => relay.port, random, vanishing });
    // A page notices only after many seconds that bytes vanish: that is the next test's.
    lines = await Promise.all([line(0.3), line(0.3), line(0), line(0)]);
    relay = await startWireServer({
      hosts: lines.map(({ url }) => new URL(url).host),
      webFolders: [bundle().folder],
      ws: { maxReplayEvents: 1_000_000 },
    });
    clients = [];
    sessionId = relay.sessions.create();
    relay.sessions.append(sessionId, {
      type: 'agentStarted',
      agent: 'claude',
      version: '2',
      segment: 1,
      resumed: false,
    });
    page = await browser().newPage({ viewport: { width: 1200, height: 800 } });
  });
  afterEach(async () => {
    clients.forEach(client => client.dispose());
    await phone?.stop();
    await page.context().close();
    await relay.close();
    await Promise.all(lines.map(line => line.close()));
  });

  async function openPage({ url }: BadLine): Promise<void> {
    const response = await fetch(`${relay.url}/v1/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${WIRE_TOKEN}` },
    });
    const answer: unknown = await response.json();
    const ticket = isRecord(answer) ? String(answer['ticket']) : '';
    await page.goto(`${url}/#ticket=${ticket}`);
    await page.getByRole('navigation').getByText('A session').click();
    await page.getByLabel('Message to the agent').waitFor();
  }

  async function typeOnPage(text: string): Promise<void> {
    await page.getByLabel('Message to the agent').fill(text);
    await page.getByLabel('Message to the agent').press('Enter');
  }

  function marksInStore(): string[] {
    return relay.sessions.session(sessionId).events.flatMap(({ body }) => {
      const text = body.type === 'textFinished' ? body.text.text : body.type === 'messageQueued' ? body.text : '';
      return text.match(MARK) ?? [];
    });
  }

  async function marksOnPage(): Promise<string[]> {
    return (await page.locator('.rows').innerText()).match(MARK) ?? [];
  }

  it('all see the log as it is in the store, and what each sends is taken once, over lines that break', async () => {
    const [one, two, three, four] = lines;
    assert.ok(one && two && three && four);
    const windows = [one, two].map(({ url }) => {
      const client = wireClient(url, { watch: FAST, backoff: { firstMs: 1, maxMs: 20 } });
      clients.push(client);
      const events: SessionEvent[] = collectEvents(client, sessionId);
      client.connect();
      return { client, events };
    });
    phone = new RawPhone(three.url, sessionId);
    await openPage(four);
    lines.forEach(line => (line.bad = true));
    const sends: Promise<unknown>[] = [];
    for (let count = 0; count < EVENTS; count++) {
      const text = `Line #${count}# ${'x'.repeat((count * 37) % 900)}`;
      relay.sessions.write(sessionId, `item${count}`, text.slice(0, 20));
      relay.sessions.append(sessionId, { type: 'textFinished', itemId: `item${count}`, text: { text } });
      if (count % 13 === 0) {
        sends.push(
          ...windows.map(({ client }, index) =>
            client.call('session.send', { sessionId, text: `#w${index}m${count}#` }, { timeoutMs: 120_000 }),
          ),
        );
      }
      if (count % 26 === 0) {
        await typeOnPage(`#p${count}#`);
      }
      await sleep(15);
    }
    await Promise.all(sends);
    lines.forEach(line => (line.bad = false));
    const typed = Math.ceil(EVENTS / 26);
    await until(() => marksInStore().filter(mark => mark.startsWith('#p')).length === typed, 60_000);
    const stored = relay.sessions.session(sessionId).events;
    assert.equal(new Set(marksInStore()).size, EVENTS + sends.length + typed, 'each was taken once');
    for (const { events } of windows) {
      await until(() => events.length >= stored.length, 60_000);
      assert.deepEqual(events, stored);
    }
    await until(() => (phone?.events.length ?? 0) >= stored.length, 60_000);
    assert.deepEqual(phone.events, stored);
    await until(async () => (await marksOnPage()).length >= marksInStore().length, 60_000);
    assert.deepEqual(await marksOnPage(), marksInStore());
    const sum = (of: (line: BadLine) => number): number => lines.reduce((total, line) => total + of(line), 0);
    console.log(`      ${sum(l => l.cuts)} cuts, ${sum(l => l.vanished)} vanished, ${sum(l => l.slow)} slow pieces`);
    assert.ok(
      lines.every(line => line.cuts + line.vanished > 0),
      'every line broke',
    );
  });

  it('a page that slept for an hour on a connection that vanished asks at once and catches up', async () => {
    const [, , , line] = lines;
    assert.ok(line);
    await page.clock.install();
    await openPage(line);
    line.vanish();
    relay.sessions.append(sessionId, { type: 'textFinished', itemId: 'late', text: { text: 'While asleep #late#' } });
    await page.clock.fastForward('01:00:00');
    await page.clock.runFor(10_000);
    await until(async () => (await marksOnPage()).includes('#late#'), 30_000);
  });
});
