import type { SessionState } from '../../protocol/session.ts';
import { launchChromium } from '../../test/support/chromium.ts';
import { SessionLog } from '../../test/support/sessionLog.ts';
import { serveWebview } from '../../test/support/webviewBundle.ts';
import { openWebviewPage, type WebviewPage } from '../../test/support/webviewPage.ts';
import { median, percentile, type Measurement, type Raw } from '../figure.ts';

const EVENTS = 10_000;
const CHUNKS = 3000;
/** So many come in one frame of the host. */
const CHUNKS_A_FRAME = 10;
const KEYS = 60;
const IDLE_MS = 4000;

/** The chat page as it is shipped, in a Chromium without a display, under the policy that it has in VS Code. */
export const chatPage: Measurement = {
  figures: [
    { name: 'open-10k-events-ms', unit: 'ms', aim: 500 },
    { name: 'heap-10k-events-mb', unit: 'MB', aim: 150 },
    { name: 'stream-3000-chunks-script-ms', unit: 'ms', aim: 150 },
    { name: 'keystroke-to-paint-ms', unit: 'ms', aim: 16 },
    { name: 'idle-cpu-percent', unit: '%', aim: 1 },
  ],
  needs: ['chromium'],
  async take(bench) {
    const [browser, server] = await Promise.all([launchChromium(), serveWebview()]);
    bench.defer(() => server.close());
    bench.defer(() => browser.close());
    const long = longSession().state;
    const short = shortSession();
    const taken = new Map<string, { ours: number[]; floor: number[] }>();
    const note = (name: string, ours: number, floor: number): void => {
      const lists = taken.get(name) ?? { ours: [], floor: [] };
      lists.ours.push(ours);
      lists.floor.push(floor);
      taken.set(name, lists);
    };
    // The first page fills the caches of Chromium and of the disk.
    for (let round = 0; round <= bench.rounds; round++) {
      const page = async (take: (chat: WebviewPage) => Promise<number>): Promise<number> => {
        const chat = await openWebviewPage(browser, server.url);
        try {
          return await take(chat);
        } finally {
          await chat.close();
        }
      };
      const results: [string, number, number][] = [
        ['open-10k-events-ms', await page(chat => openMs(chat, long)), await page(chat => openMs(chat, short.state))],
        ['heap-10k-events-mb', await page(chat => heapMb(chat, long)), await page(chat => heapMb(chat, short.state))],
        [
          'stream-3000-chunks-script-ms',
          await page(chat => streamMs(chat, short.state, true)),
          await page(chat => streamMs(chat, short.state, false)),
        ],
        [
          'keystroke-to-paint-ms',
          await page(chat => keystrokeMs(chat, long, true)),
          await page(chat => keystrokeMs(chat, short.state, false)),
        ],
        [
          'idle-cpu-percent',
          await page(chat => idlePercent(chat, long)),
          await page(chat => idlePercent(chat, undefined)),
        ],
      ];
      if (round > 0) {
        results.forEach(([name, ours, floor]) => note(name, ours, floor));
      }
      bench.report(
        `round ${round}: ${results.map(([name, ours, floor]) => `${name} ${ours.toFixed(1)} (floor ${floor.toFixed(1)})`).join(', ')}`,
      );
    }
    return Object.fromEntries(
      [...taken].map(([name, { ours, floor }]): [string, { value: number; raw: Raw }] => [
        name,
        { value: median(ours), raw: { ours, floor, p95: percentile(ours, 0.95) } },
      ]),
    );
  },
};

/** As long sessions are: answers, thoughts and tool calls with their output. */
function longSession(): SessionLog {
  const log = new SessionLog();
  log.ready();
  log.turn(1, 'Work for long');
  for (let index = 0; log.events.length < EVENTS; index++) {
    log.tool(
      `t${index}`,
      index % 3 === 0 ? 'Read' : 'Bash',
      `step ${index}`,
      { command: `run ${index}` },
      'line of output\n'.repeat(12),
    );
    log.add({
      type: 'textFinished',
      itemId: `x${index}`,
      text: { text: `Step **${index}** is done.\n\n- one\n- two\n\n\`\`\`ts\nconst n = ${index};\n\`\`\`` },
    });
  }
  return log;
}

function shortSession(): SessionLog {
  const log = new SessionLog();
  log.ready();
  log.turn(1, 'Go');
  log.add({ type: 'textFinished', itemId: 'last', text: { text: 'Done.' } });
  return log;
}

async function open(chat: WebviewPage, state: SessionState): Promise<void> {
  const { page } = chat;
  await chat.tell({ type: 'connection', state: 'connected' }, { type: 'open', sessionId: state.id, state, live: [] });
  await page.getByLabel('Message to the agent').waitFor();
  await page.locator('.answer .block').last().waitFor();
}

/** From the message with the session to the frame that shows its last row. The data is in the page before. */
async function openMs({ page }: WebviewPage, state: SessionState): Promise<number> {
  const last = state.items.at(-1)?.id ?? '';
  await page.evaluate(data => Reflect.set(window, 'benchState', data), state);
  return page.evaluate(
    row =>
      new Promise<number>(done => {
        const held: unknown = Reflect.get(window, 'benchState');
        const began = performance.now();
        window.dispatchEvent(new MessageEvent('message', { data: { type: 'connection', state: 'connected' } }));
        window.dispatchEvent(
          new MessageEvent('message', {
            data: { type: 'open', sessionId: Reflect.get(Object(held), 'id'), state: held, live: [] },
          }),
        );
        const look = (): void => {
          if (document.querySelector(`[data-row="${row}"]`)) {
            // After this frame is painted.
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
          } else {
            requestAnimationFrame(look);
          }
        };
        look();
      }),
    last,
  );
}

async function heapMb(chat: WebviewPage, state: SessionState): Promise<number> {
  await open(chat, state);
  const session = await chat.page.context().newCDPSession(chat.page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1024 / 1024;
}

/** Time in scripts while an answer is written; `shown` false sends the same to a page that shows another session. */
async function streamMs(chat: WebviewPage, state: SessionState, shown: boolean): Promise<number> {
  await open(chat, state);
  const { page } = chat;
  const metric = await meter(chat);
  const before = await metric('ScriptDuration');
  await page.evaluate(
    ([sessionId, chunks, aFrame]) =>
      new Promise<void>(done => {
        let offset = 0;
        let sent = 0;
        const frame = (): void => {
          for (let count = 0; count < aFrame && sent < chunks; count++, sent++) {
            const text = sent % 40 === 39 ? '\n\n' : sent % 97 === 0 ? ' `code` and **more**' : ' some words';
            window.dispatchEvent(
              new MessageEvent('message', {
                data: { type: 'delta', sessionId, itemId: 'live', kind: 'text', offset, text },
              }),
            );
            offset += text.length;
          }
          if (sent < chunks) {
            requestAnimationFrame(frame);
          } else {
            requestAnimationFrame(() => setTimeout(done));
          }
        };
        frame();
      }),
    [shown ? state.id : 'ses_other', CHUNKS, CHUNKS_A_FRAME] as const,
  );
  return ((await metric('ScriptDuration')) - before) * 1000;
}

/** The middle of many key presses, from the key's own time to after the frame that shows its letter. */
async function keystrokeMs(chat: WebviewPage, state: SessionState, streaming: boolean): Promise<number> {
  await open(chat, state);
  const { page } = chat;
  await page.getByLabel('Message to the agent').focus();
  await page.evaluate(
    ([sessionId, streams]) => {
      const samples: number[] = [];
      Reflect.set(window, 'benchSamples', samples);
      document.addEventListener(
        'keydown',
        event => {
          requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => samples.push(performance.now() - event.timeStamp);
            channel.port2.postMessage(0);
          });
        },
        true,
      );
      let offset = 0;
      if (streams) {
        setInterval(() => {
          const text = offset % 400 < 11 ? '\n\n' : ' some words';
          const data = { type: 'delta', sessionId, itemId: 'live', kind: 'text', offset, text };
          window.dispatchEvent(new MessageEvent('message', { data }));
          offset += text.length;
        }, 16);
      }
    },
    [state.id, streaming] as const,
  );
  for (let key = 0; key < KEYS; key++) {
    await page.keyboard.press('a');
  }
  await page.waitForFunction(keys => Reflect.get(window, 'benchSamples')?.length === keys, KEYS);
  const samples: unknown = await page.evaluate(() => Reflect.get(window, 'benchSamples'));
  return median(Array.isArray(samples) ? samples.map(Number) : []);
}

/** How much of one processor the page takes while nothing happens; without a state, of a page that shows none. */
async function idlePercent(chat: WebviewPage, state: SessionState | undefined): Promise<number> {
  if (state) {
    await open(chat, state);
  }
  const metric = await meter(chat);
  const [task, at] = [await metric('TaskDuration'), await metric('Timestamp')];
  await new Promise(done => setTimeout(done, IDLE_MS));
  const took = (await metric('TaskDuration')) - task;
  return (took / ((await metric('Timestamp')) - at)) * 100;
}

type Metric = 'ScriptDuration' | 'TaskDuration' | 'Timestamp';

async function meter({ page }: WebviewPage): Promise<(name: Metric) => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return async name => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(metric => metric.name === name)?.value ?? Number.NaN;
  };
}
