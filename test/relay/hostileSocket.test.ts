import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { isRecord } from '../../protocol/isRecord.ts';
import { startWireServer } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { ask } from '../support/wireHttp.ts';
import { WireSocket } from '../support/wireSocket.ts';
import { until } from '../support/wireUntil.ts';

describe('hostile: sockets', () => {
  let server: WireServer;
  let socket: WireSocket;

  before(async () => {
    server = await startWireServer();
  });
  beforeEach(async () => {
    socket = await WireSocket.open(server.url);
  });
  afterEach(async () => {
    socket.close();
    assert.equal((await ask(`${server.url}/v1/relay`)).status, 200, 'the relay no longer serves');
    await until(() => server.ws.size === 0);
  });
  after(() => server.close());

  /** The code of the reply to a frame that is no call. */
  async function replyTo(frame: string): Promise<unknown> {
    const before = socket.frames.length;
    socket.socket.send(frame);
    await until(() => socket.frames.length > before);
    const { error } = socket.frames[before] ?? {};
    return isRecord(error) ? error['code'] : undefined;
  }

  it('closes an oversize frame with 1009', async () => {
    socket.socket.send('x'.repeat(4 * 1024 * 1024 + 1));
    assert.equal(await socket.closed, 1009);
  });

  it('takes a frame of exactly the limit', async () => {
    const frame = JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'relay.info', params: {} });
    socket.socket.send(frame.padEnd(4 * 1024 * 1024, ' '));
    assert.ok((await socket.next(reply => reply['id'] === 9))['result']);
  });

  it('closes an oversize message that comes in fragments with 1009', async () => {
    for (let part = 0; part < 5 && socket.socket.readyState === socket.socket.OPEN; part++) {
      socket.socket.send('x'.repeat(1024 * 1024), { fin: false });
    }
    assert.equal(await socket.closed, 1009);
  });

  it('closes a binary frame with 1003', async () => {
    socket.socket.send(randomBytes(100));
    assert.equal(await socket.closed, 1003);
  });

  it('closes text that is no UTF-8 with 1007', async () => {
    socket.socket.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false });
    assert.equal(await socket.closed, 1007);
  });

  it('survives bytes that are no WebSocket frames', async () => {
    const raw: unknown = Reflect.get(socket.socket, '_socket');
    assert.ok(isRecord(raw) && typeof raw['write'] === 'function');
    Reflect.apply(raw['write'], raw, [Buffer.alloc(5_000, 0xff)]);
    await socket.closed;
  });

  it('answers malformed JSON and malformed messages, and goes on', async () => {
    assert.equal(await replyTo('{"jsonrpc":'), -32700);
    assert.equal(await replyTo(''), -32700);
    assert.equal(await replyTo('['.repeat(100_000)), -32700);
    for (const frame of [
      'null',
      '1',
      '[]',
      '{}',
      '{"jsonrpc":"1.0"}',
      '{"jsonrpc":"2.0"}',
      '{"jsonrpc":"2.0","method":5}',
    ]) {
      assert.equal(await replyTo(frame), -32600, frame);
    }
    socket.socket.send('{"jsonrpc":"2.0","id":"unasked","result":{}}');
    socket.socket.send('{"jsonrpc":"2.0","method":"session.changed","params":{"__proto__":{"polluted":1}}}');
    assert.ok((await socket.call('relay.info'))['result']);
  });

  it('refuses parameters of every wrong kind with the path in the message', async () => {
    const sessionId = `ses_${'0'.repeat(26)}`;
    const wrong: [string, unknown, RegExp][] = [
      ['session.get', {}, /sessionId: /],
      ['session.get', { sessionId: '../../etc/passwd' }, /sessionId: /],
      ['session.get', [], /params: /],
      ['session.get', 'text', /params: /],
      ['session.subscribe', { sessionId, afterSeq: -1 }, /afterSeq: /],
      ['session.subscribe', { sessionId, afterSeq: 1.5 }, /afterSeq: /],
      ['session.subscribe', { sessionId, afterSeq: '1' }, /afterSeq: /],
      ['session.events', { sessionId, limit: 1e9 }, /limit: /],
      ['session.send', { sessionId, key: 'key-0123456789', text: 'x'.repeat(1_000_001) }, /text: /],
      [
        'session.answer',
        { sessionId, key: 'key-0123456789', approvalId: 'a', decision: { kind: 'maybe' } },
        /decision\.kind: /,
      ],
      ['initialize', { protocol: 1 }, /protocol: /],
    ];
    for (const [method, params, message] of wrong) {
      const error = socket.error(await socket.call(method, params));
      assert.equal(error['code'], 'invalid_params', `${method} ${JSON.stringify(error)}`);
      assert.match(String(error['message']), message);
    }
  });

  it('gets no prototype polluted', async () => {
    const sessionId = `ses_${'0'.repeat(26)}`;
    socket.socket.send(
      `{"jsonrpc":"2.0","id":77,"method":"session.answer","params":{"key":"key-0123456789","sessionId":"${sessionId}",` +
        `"approvalId":"a","__proto__":{"polluted":1},"decision":{"kind":"answers","answers":{"__proto__":"x","q":"a"}}}}`,
    );
    assert.ok((await socket.next(frame => frame['id'] === 77))['result']);
    assert.equal(server.handlers.seen.at(-1)?.key, '{"kind":"answers","answers":{"q":"a"}}');
    for (const method of ['__proto__', 'constructor', 'hasOwnProperty']) {
      assert.equal(socket.error(await socket.call(method))['code'], 'unknown_call');
    }
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('answers all of 10,000 calls that come at once, and others meanwhile', async function () {
    this.timeout(60_000);
    const flooding = Promise.all(Array.from({ length: 10_000 }, () => socket.call('relay.info')));
    const other = await WireSocket.open(server.url);
    const before = performance.now();
    assert.ok((await other.call('relay.info'))['result']);
    const waitedMs = performance.now() - before;
    other.close();
    const replies = await flooding;
    assert.ok(replies.every(reply => reply['result'] !== undefined));
    assert.ok(waitedMs < 2_000, `another client waited ${waitedMs} ms`);
  });

  it('stops reading from a client that calls and never reads the answers', async function () {
    this.timeout(60_000);
    const sessionId = server.sessions.create();
    for (let count = 0; count < 200; count++) {
      server.sessions.append(sessionId, { type: 'noticeRaised', level: 'info', text: 'x'.repeat(20_000) });
    }
    const reads = (): number => server.sessions.reads;
    const before = reads();
    socket.socket.pause();
    const frame = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.events', params: { sessionId } });
    for (let count = 0; count < 2_000; count++) {
      socket.socket.send(frame);
    }
    let last = -1;
    await until(async () => {
      const settled = last === reads();
      last = reads();
      await new Promise(resolve => setTimeout(resolve, 200));
      return settled && last > before;
    });
    assert.ok(reads() - before < 200, `${reads() - before} answers of 4 MB were made for a client that reads none`);
  });

  it('survives hundreds of sockets that come and go', async () => {
    for (let round = 0; round < 10; round++) {
      const many = await Promise.all(
        Array.from({ length: 20 }, () => WireSocket.open(server.url, { initialize: round % 2 === 0 })),
      );
      many.forEach(one => one.close());
    }
  });
});
