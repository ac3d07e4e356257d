import { strict as assert } from 'node:assert';
import { SandpiperError } from '../../protocol/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { upgradeStatus, WireSocket } from '../support/wireSocket.ts';
import { until } from '../support/wireUntil.ts';

describe('wire: calls', () => {
  let server: WireServer;
  let socket: WireSocket;

  beforeEach(async () => {
    server = await startWireServer();
    socket = await WireSocket.open(server.url, { initialize: false });
  });
  afterEach(async () => {
    socket.close();
    await server.close();
  });

  const initialize = (protocol: unknown = { newest: 1, oldest: 1 }) =>
    socket.call('initialize', { protocol, client: { name: 'test', version: '1' } });

  it('agrees on a version first', async () => {
    assert.deepEqual((await initialize({ newest: 7, oldest: 1 }))['result'], {
      protocolVersion: 1,
      relay: { version: '0.1.0', instance: 'i1' },
      limits: { maxFrameBytes: 4 * 1024 * 1024 },
    });
    assert.equal(socket.error(await initialize())['code'], 'invalid_request');
  });

  it('names both versions when there is no common one, and closes with 4010', async () => {
    const error = socket.error(await initialize({ newest: 9, oldest: 8 }));
    assert.equal(error['code'], 'version_mismatch');
    assert.match(String(error['message']), /speaks protocol 1.*speaks 8 to 9/);
    assert.equal(await socket.closed, 4010);
  });

  it('refuses any other call before', async () => {
    const error = socket.error(await socket.call('relay.info'));
    assert.equal(error['code'], 'not_initialized');
    assert.match(String(error['hint']), /initialize/);
  });

  it('closes a socket that never initializes', async () => {
    const impatient = await startWireServer({ ws: { initializeTimeoutMs: 50 } });
    try {
      const silent = await WireSocket.open(impatient.url, { initialize: false });
      assert.equal(await silent.closed, 4002);
    } finally {
      await impatient.close();
    }
  });

  it('hands checked parameters with defaults to the handler, and its context', async () => {
    await initialize();
    const reply = await socket.call('session.create', { key: 'k1234567', source: '/repo', prompt: 'Do it' });
    const seen = server.handlers.seen[0];
    assert.ok(reply['result']);
    assert.deepEqual(seen?.context.client, { name: 'test', version: '1' });
    assert.equal(seen.context.principal, 'owner');
    assert.match(seen.context.connection, /^ws-\d+$/);
  });

  it('names the path of every wrong parameter', async () => {
    await initialize();
    const params = { key: 'k', sessionId: 'nope', approvalId: 'a', decision: { kind: 'answers', answers: { q: 1 } } };
    const error = socket.error(await socket.call('session.answer', params));
    assert.equal(error['code'], 'invalid_params');
    assert.match(String(error['message']), /key: .*sessionId: .*decision\.answers\.q: /);
  });

  it('answers an unknown call, a failing one and a defect each with its code', async () => {
    await initialize();
    assert.equal(socket.error(await socket.call('session.explode'))['code'], 'unknown_call');
    assert.equal(socket.error(await socket.call('toString'))['code'], 'unknown_call');
    assert.equal(socket.error(await socket.call('session.get', { sessionId: newId('ses') }))['code'], 'not_found');
    assert.equal(socket.error(await socket.call('relay.checks'))['code'], 'internal');
  });

  it('never has more calls in flight than the limit, and answers all', async () => {
    await initialize();
    let inFlight = 0;
    let most = 0;
    server.handlers.gate = async () => {
      most = Math.max(most, ++inFlight);
      await new Promise(resolve => setImmediate(resolve));
      inFlight--;
    };
    const replies = await Promise.all(
      Array.from({ length: 500 }, () => socket.call('repository.inspect', { source: '/r' })),
    );
    assert.ok(replies.every(reply => reply['result'] !== undefined));
    assert.ok(most <= 64, `${most} were in flight`);
  });

  it('slows a client down that exceeds its rate, and still answers all', async () => {
    const slow = await startWireServer({ ws: { callBurst: 10, callsPerSecond: 200 } });
    try {
      const eager = await WireSocket.open(slow.url);
      const before = performance.now();
      const replies = await Promise.all(Array.from({ length: 60 }, () => eager.call('relay.info')));
      assert.ok(replies.every(reply => reply['result'] !== undefined));
      assert.ok(performance.now() - before > 200, 'the rate was not held');
      eager.close();
    } finally {
      await slow.close();
    }
  });

  it('closes sockets with 1012 when the relay stops', async () => {
    await initialize();
    await server.close();
    assert.equal(await socket.closed, 1012);
    server = await startWireServer();
  });

  it('answers a ping, which asks for nothing but a sign of life', async () => {
    await initialize();
    assert.deepEqual((await socket.call('ping'))['result'], {});
  });

  it('cuts a client that does not answer pings', async () => {
    const beating = await startWireServer({ ws: { pingIntervalMs: 50 } });
    try {
      const dead = await WireSocket.open(beating.url);
      const alive = await WireSocket.open(beating.url);
      dead.socket.pause();
      await until(() => beating.ws.size === 1);
      assert.ok((await alive.call('relay.info'))['result']);
      dead.close();
      alive.close();
    } finally {
      await beating.close();
    }
  });

  it('refuses more sockets than the limit', async () => {
    const small = await startWireServer({ ws: { maxSockets: 1 } });
    try {
      const first = await WireSocket.open(small.url);
      assert.equal(await upgradeStatus(small.url, { authorization: `Bearer ${WIRE_TOKEN}` }), 503);
      first.close();
    } finally {
      await small.close();
    }
  });

  it('sends changed rows to every initialized client, the latest when many change at once', async () => {
    await initialize();
    const uninitialized = await WireSocket.open(server.url, { initialize: false });
    const sessionId = server.sessions.create();
    for (let count = 0; count < 100; count++) {
      server.sessions.append(sessionId, { type: 'sessionRenamed', title: `Title ${count}` });
    }
    await socket.next(frame => JSON.stringify(frame).includes('Title 99'));
    const changes = socket.frames.filter(frame => frame['method'] === 'session.changed');
    assert.ok(changes.length <= 4, `${changes.length} notifications for one burst`);
    assert.equal(uninitialized.frames.length, 0);
    uninitialized.close();
  });

  it('says which port is taken and which setting chooses another', async () => {
    await assert.rejects(
      () => startWireServer({ port: server.port }),
      (error: unknown) =>
        error instanceof SandpiperError &&
        error.code === 'conflict' &&
        error.message.includes(String(server.port)) &&
        (error.hint ?? '').includes('SANDPIPER_PORT'),
    );
  });
});
