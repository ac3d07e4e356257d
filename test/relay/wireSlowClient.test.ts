import { strict as assert } from 'node:assert';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isRecord } from '../../protocol/isRecord.ts';
import { WireSocket } from '../support/wireSocket.ts';
import { until } from '../support/wireUntil.ts';

const MiB = 1024 * 1024;
const EVENT_CHARS = 20_000;

/** Checks the numbering of what comes, and keeps none of it. */
class SeqCounter {
  last = 0;
  problems: string[] = [];
  lagging = false;

  constructor(wire: WireSocket, afterSeq: number) {
    this.last = afterSeq;
    wire.socket.removeAllListeners('message');
    wire.socket.on('message', data => {
      const frame: unknown = JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '');
      const params = isRecord(frame) && isRecord(frame['params']) ? frame['params'] : {};
      this.lagging ||= isRecord(frame) && frame['method'] === 'session.lagging';
      for (const event of Array.isArray(params['events']) ? params['events'] : []) {
        const seq = isRecord(event) ? Number(event['seq']) : NaN;
        if (seq !== this.last + 1) {
          this.problems.push(`${seq} after ${this.last}`);
        }
        this.last = seq;
      }
    });
  }
}

describe('wire: a slow client', function () {
  this.timeout(90_000);
  let relay: ChildProcess;
  let url: string;
  let sessionId: string;
  const sockets: WireSocket[] = [];

  async function start(stallTimeoutMs: number): Promise<void> {
    // A small heap, so that what is garbage is not taken for what is held.
    relay = fork(
      join(import.meta.dirname, '../support/wireSlowRelay.ts'),
      [String(EVENT_CHARS), String(stallTimeoutMs)],
      {
        execArgv: [
          '--expose-gc',
          '--max-semi-space-size=4',
          '--max-old-space-size=96',
          '--disable-warning=ExperimentalWarning',
        ],
      },
    );
    const ready = await answer();
    url = String(ready['url']);
    sessionId = String(ready['sessionId']);
  }

  async function answer(): Promise<Record<string, unknown>> {
    const [message]: unknown[] = await once(relay, 'message');
    return isRecord(message) ? message : {};
  }

  async function ask(question: Record<string, unknown>): Promise<Record<string, unknown>> {
    const answered = answer();
    relay.send(question);
    return answered;
  }

  async function follow(): Promise<{ wire: WireSocket; counter: SeqCounter }> {
    const wire = await WireSocket.open(url);
    sockets.push(wire);
    await wire.call('session.subscribe', { sessionId, afterSeq: 0 });
    const counter = new SeqCounter(wire, 0);
    await until(() => counter.last > 0 || wire.frames.some(frame => frame['method'] === 'session.events'));
    counter.last = 1;
    return { wire, counter };
  }

  afterEach(async () => {
    sockets.splice(0).forEach(socket => socket.close());
    const gone = once(relay, 'exit');
    relay.send({ close: true });
    await gone;
  });

  it('costs the relay no memory, disturbs nobody, and catches up without a gap', async () => {
    await start(60_000);
    const slow = await follow();
    const quick = await follow();
    let lastSeq = 1;
    // What the relay needs for this load itself, with both clients reading.
    for (let round = 0; round < 10; round++) {
      lastSeq = Number((await ask({ append: 100 }))['lastSeq']);
      await until(() => quick.counter.last === lastSeq && slow.counter.last === lastSeq);
    }
    slow.wire.socket.pause();
    const before = Number((await ask({ memory: true }))['rss']);
    let peak = before;
    // 10,500 events of 20,000 characters: 200 MiB, while one of the two clients reads nothing.
    for (let round = 0; round < 105; round++) {
      lastSeq = Number((await ask({ append: 100 }))['lastSeq']);
      await until(() => quick.counter.last === lastSeq);
      if (round % 15 === 0) {
        peak = Math.max(peak, Number((await ask({ memory: true }))['rss']));
      }
    }
    const after = Number((await ask({ memory: true }))['rss']);
    assert.deepEqual(quick.counter.problems, []);
    assert.ok(slow.counter.last < lastSeq, 'the paused client was not behind');
    slow.wire.socket.resume();
    await until(() => slow.counter.last === lastSeq, 60_000);
    assert.deepEqual(slow.counter.problems, []);
    assert.equal(slow.counter.lagging, false);
    await ask({ append: 3 });
    await until(() => slow.counter.last === lastSeq + 3 && quick.counter.last === lastSeq + 3);
    assert.deepEqual(slow.counter.problems, []);
    const grownMiB = (Math.max(peak, after) - before) / MiB;
    assert.ok(grownMiB < 40, `the relay grew by ${grownMiB.toFixed(0)} MiB while 200 MiB waited`);
  });

  it('is closed with 4008 when it takes nothing for too long, and the others stay', async () => {
    await start(300);
    const dead = await follow();
    const quick = await follow();
    dead.wire.socket.pause();
    const { lastSeq } = await ask({ append: 1_000 });
    await until(async () => (await ask({ memory: true }))['sockets'] === 1);
    await until(() => quick.counter.last === lastSeq);
    assert.deepEqual(quick.counter.problems, []);
  });
});
