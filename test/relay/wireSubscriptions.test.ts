import { strict as assert } from 'node:assert';
import { setImmediate as tick } from 'node:timers/promises';
import { isRecord } from '../../protocol/isRecord.ts';
import { startWireServer } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { WireSocket } from '../support/wireSocket.ts';
import { notice } from '../support/wireSource.ts';
import { until } from '../support/wireUntil.ts';

/** The seqs a socket was sent, in order. */
function sentSeqs(socket: WireSocket): number[] {
  return socket.frames
    .filter(frame => frame['method'] === 'session.events')
    .flatMap(frame =>
      isRecord(frame['params']) && Array.isArray(frame['params']['events']) ? frame['params']['events'] : [],
    )
    .map((event: unknown) => (isRecord(event) ? Number(event['seq']) : NaN));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('wire: subscriptions', () => {
  let server: WireServer;
  let socket: WireSocket;
  let sessionId: string;

  beforeEach(async () => {
    server = await startWireServer();
    socket = await WireSocket.open(server.url);
    sessionId = server.sessions.create();
  });
  afterEach(async () => {
    socket.close();
    await server.close();
  });

  const subscribe = (afterSeq: number): Promise<Record<string, unknown>> =>
    socket.call('session.subscribe', { sessionId, afterSeq });
  const append = (count: number): void => {
    for (let index = 0; index < count; index++) {
      server.sessions.append(sessionId, notice(`event ${index}`));
    }
  };

  it('replays the rest after a seq and goes on live, without gap or duplicate', async () => {
    append(700);
    assert.deepEqual((await subscribe(100))['result'], { kind: 'replay', fromSeq: 100, lastSeq: 701, live: [] });
    append(5);
    await until(() => sentSeqs(socket).length >= 606);
    append(5);
    await until(() => sentSeqs(socket).length >= 611);
    assert.deepEqual(sentSeqs(socket), range(101, 711));
  });

  it('loses nothing when events come while it hands over from replay to live', async () => {
    for (const delayMs of [0, 1, 5]) {
      server.sessions.readDelayMs = delayMs;
      const busy = server.sessions.create();
      const fast = await WireSocket.open(server.url);
      let stop = false;
      const writing = (async () => {
        // Fewer than it takes for a snapshot, which would stand for events that are then not sent.
        for (let count = 0; count < 1_900 && !stop; count++) {
          server.sessions.append(busy, notice(String(count)));
          if (count % 3 === 0) {
            await tick();
          }
        }
      })();
      for (let round = 0; round < 10; round++) {
        await fast.call('session.subscribe', { sessionId: busy, afterSeq: sentSeqs(fast).at(-1) ?? 0 });
        await until(() => sentSeqs(fast).length > 50 * round);
      }
      stop = true;
      await writing;
      const last = server.sessions.session(busy).state.seq;
      await until(() => (sentSeqs(fast).at(-1) ?? 0) === last);
      const seqs = sentSeqs(fast);
      // A repeated subscription may repeat what was on its way; what it may not do is leave something out.
      assert.deepEqual(
        [...new Set(seqs)].sort((one, other) => one - other),
        range(1, last),
      );
      fast.close();
    }
  });

  it('becomes live although the session never pauses', async () => {
    server.sessions.readDelayMs = 2;
    append(300);
    await subscribe(0);
    let stop = false;
    const writing = (async () => {
      for (let count = 0; count < 20_000 && !stop; count++) {
        append(1);
        await tick();
      }
    })();
    await until(() => sentSeqs(socket).length > 2_000);
    const reads = server.sessions.reads;
    const before = sentSeqs(socket).length;
    await until(() => sentSeqs(socket).length > before + 1_000);
    stop = true;
    await writing;
    assert.equal(server.sessions.reads, reads, 'it still read from the store');
  });

  it('gives a snapshot with the last 200 items to a client that is more than 2,000 events behind', async () => {
    append(2_500);
    const { result } = await subscribe(10);
    assert.ok(isRecord(result) && isRecord(result['state']) && Array.isArray(result['state']['items']));
    assert.equal(result['kind'], 'snapshot');
    assert.equal(result['state']['items'].length, 200);
    assert.equal(result['state']['omittedItems'], 2_300);
    append(1);
    await until(() => sentSeqs(socket).length > 0);
    assert.deepEqual(sentSeqs(socket), [2_502]);
  });

  it('gives a snapshot to a client that is ahead of the log', async () => {
    const { result } = await subscribe(99);
    assert.ok(isRecord(result));
    assert.equal(result['kind'], 'snapshot');
  });

  it('gives who joins in the middle of an item the text so far, then the rest', async () => {
    server.sessions.write(sessionId, 'm1', 'Hello ');
    const { result } = await subscribe(0);
    assert.ok(isRecord(result));
    assert.deepEqual(result['live'], [{ itemId: 'm1', kind: 'text', text: 'Hello ' }]);
    await until(() => sentSeqs(socket).length === 1);
    await tick();
    server.sessions.write(sessionId, 'm1', 'wor');
    server.sessions.write(sessionId, 'm1', 'ld');
    server.sessions.write(sessionId, 'm1', '!');
    await socket.next(frame => frame['method'] === 'session.delta' && JSON.stringify(frame).includes('!'));
    const deltas = socket.frames.flatMap(({ method, params }) => (method === 'session.delta' ? [params] : []));
    assert.deepEqual(deltas, [
      { sessionId, itemId: 'm1', kind: 'text', offset: 6, text: 'wor' },
      { sessionId, itemId: 'm1', kind: 'text', offset: 9, text: 'ld!' },
    ]);
  });

  it('puts events of one tick into one frame after the first', async () => {
    await subscribe(0);
    await until(() => sentSeqs(socket).length === 1);
    await tick();
    append(50);
    await until(() => sentSeqs(socket).length === 51);
    const frames = socket.frames.filter(frame => frame['method'] === 'session.events');
    assert.equal(frames.length, 3);
  });

  it('stops after unsubscribing and lets the session go', async () => {
    await subscribe(0);
    await until(() => sentSeqs(socket).length === 1);
    assert.equal(server.sessions.session(sessionId).listeners.size, 1);
    await socket.call('session.unsubscribe', { sessionId });
    append(3);
    await socket.call('relay.info');
    assert.deepEqual(sentSeqs(socket), [1]);
    assert.equal(server.sessions.session(sessionId).listeners.size, 0);
  });

  it('lets every session go when a socket ends', async () => {
    await subscribe(0);
    socket.close();
    await until(() => server.sessions.session(sessionId).listeners.size === 0);
  });

  it('refuses a session that is not there, and more subscriptions than the limit', async () => {
    const missing = await socket.call('session.subscribe', { sessionId: `ses_${'0'.repeat(26)}`, afterSeq: 0 });
    assert.equal(socket.error(missing)['code'], 'not_found');
    const small = await startWireServer({ ws: { maxSubscriptions: 1 } });
    try {
      const greedy = await WireSocket.open(small.url);
      const [one, other] = [small.sessions.create(), small.sessions.create()];
      await greedy.call('session.subscribe', { sessionId: one, afterSeq: 0 });
      const refused = await greedy.call('session.subscribe', { sessionId: other, afterSeq: 0 });
      assert.equal(greedy.error(refused)['code'], 'too_large');
      greedy.close();
    } finally {
      await small.close();
    }
  });

  it('says that a client lags when the log cannot be read', async () => {
    append(300);
    server.sessions.read = () => Promise.reject(new Error('disk on fire'));
    await subscribe(250);
    const lagging = await socket.next(frame => frame['method'] === 'session.lagging');
    assert.deepEqual(lagging['params'], { sessionId, lastSeq: 250 });
  });
});
