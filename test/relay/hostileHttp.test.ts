import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { ask, askRaw, statusOf } from '../support/wireHttp.ts';
import { upgradeStatus } from '../support/wireSocket.ts';

const AUTHORIZATION = { authorization: `Bearer ${WIRE_TOKEN}` };

describe('hostile: HTTP', () => {
  let server: WireServer;

  before(async () => {
    server = await startWireServer({ timeouts: { headersMs: 300, requestMs: 600 } });
  });
  afterEach(async () => {
    assert.equal((await ask(`${server.url}/v1/relay`)).status, 200, 'the relay no longer serves');
  });
  after(() => server.close());

  function request(headers: Record<string, string | string[]>, path = '/v1/relay', body = ''): Promise<string> {
    const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map(one => `${name}: ${one}`));
    return askRaw(server.port, `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);
  }

  for (const host of [
    'evil.test',
    'evil.test:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.test:PORT',
    '',
    '127.0.0.1:PORT@evil.test',
    '2130706433:PORT',
  ]) {
    it(`refuses the Host "${host}", as DNS rebinding sends it`, async () => {
      const named = host.replace('PORT', String(server.port));
      assert.equal(statusOf(await request({ Host: named, ...AUTHORIZATION })), 421);
      assert.equal(statusOf(await request({ Host: named }, '/livez')), 421);
      if (host !== '') {
        assert.equal(await upgradeStatus(server.url, { host: named, ...AUTHORIZATION }), 421);
      }
    });
  }

  it('refuses two Host headers, and none', async () => {
    const two = { Host: [`127.0.0.1:${server.port}`, 'evil.test'], ...AUTHORIZATION };
    assert.ok([400, 421].includes(statusOf(await request(two))));
    assert.equal(statusOf(await request(AUTHORIZATION)), 400);
  });

  it('takes no word of a proxy for the host', async () => {
    const headers = { Host: 'evil.test', 'X-Forwarded-Host': `127.0.0.1:${server.port}`, ...AUTHORIZATION };
    assert.equal(statusOf(await request(headers)), 421);
    assert.equal(
      statusOf(await request({ Host: 'evil.test', ...AUTHORIZATION }, `http://127.0.0.1:${server.port}/v1/relay`)),
      421,
    );
  });

  for (const origin of [
    'http://evil.test',
    'null',
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'file://',
    'http://localhost.evil.test',
    'vscode-webview://x',
  ]) {
    it(`refuses the Origin "${origin}"`, async () => {
      const headers = { ...AUTHORIZATION, origin };
      assert.equal((await ask(`${server.url}/v1/relay`, { headers })).status, 403);
      assert.equal((await ask(`${server.url}/v1/sessions`, { method: 'OPTIONS', headers })).status, 403);
      assert.equal(await upgradeStatus(server.url, headers), 403);
    });
  }

  it('refuses its own address under another name than the one asked', async () => {
    const headers = { origin: `http://localhost:${server.port}` };
    assert.equal((await ask(`${server.url}/v1/relay`, { headers })).status, 403);
    assert.equal((await ask(`${server.url}/v1/relay`, { headers: { origin: server.url } })).status, 200);
  });

  it('refuses no token, a wrong one and one in the wrong place, on every kind of route', async () => {
    const session = `ses_${'0'.repeat(26)}`;
    const paths = [
      '/v1/relay',
      '/v1/openapi.json',
      '/readyz',
      `/v1/sessions/${session}/events/stream`,
      '/',
      '/nothing',
      `/v1/sessions/${session}/blobs/${'0'.repeat(64)}`,
    ];
    for (const path of paths) {
      for (const headers of [
        {},
        { authorization: 'Bearer ' },
        { authorization: `Bearer ${WIRE_TOKEN}x` },
        { authorization: `Basic ${WIRE_TOKEN}` },
        { cookie: `token=${WIRE_TOKEN}` },
      ]) {
        const answer = await ask(server.url + path, { token: undefined, headers });
        assert.equal(answer.status, 401, `${path} ${JSON.stringify(headers)}`);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      }
      assert.equal((await ask(`${server.url}${path}?token=${WIRE_TOKEN}`, { token: undefined })).status, 401);
    }
    assert.equal(await upgradeStatus(server.url, {}), 401);
    assert.equal(await upgradeStatus(server.url, { authorization: 'Bearer x' }), 401);
    assert.equal(
      (await ask(`${server.url}/v1/tickets/redeem`, { method: 'POST', body: { ticket: 'guess' }, token: undefined }))
        .status,
      401,
    );
  });

  it('upgrades only its path and its subprotocol', async () => {
    assert.equal(await upgradeStatus(server.url, AUTHORIZATION, undefined, '/v1/sessions'), 404);
    assert.equal(await upgradeStatus(server.url, AUTHORIZATION, ['graphql-ws']), 400);
    const answer = await request({
      Host: `127.0.0.1:${server.port}`,
      ...AUTHORIZATION,
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABk',
    });
    assert.equal(statusOf(answer), 200, 'an offered h2c upgrade is ignored');
  });

  it('refuses a body that is too large before reading it, by its length and by counting', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'key-0123456789' };
    const rawBody = JSON.stringify({ prompt: 'x'.repeat(5_000_000), source: '/r' });
    const large = await ask(`${server.url}/v1/sessions`, { method: 'POST', headers, rawBody });
    assert.deepEqual([large.status, large.body['code']], [413, 'too_large']);
    const head = `POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${WIRE_TOKEN}\r\nContent-Type: application/json\r\n`;
    const lying = await askRaw(server.port, `${head}Content-Length: 99999999999\r\n\r\n{`, '\r\n\r\n');
    assert.equal(statusOf(lying), 413);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const chunked = await askRaw(
      server.port,
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(70)}`,
      '\r\n\r\n',
    );
    assert.equal(statusOf(chunked), 413);
    assert.equal(server.handlers.seen.length, 0);
  });

  it('refuses bodies that are no JSON object, compressed, or of another kind', async () => {
    const post = (rawBody: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<number> =>
      ask(`${server.url}/v1/sessions`, {
        method: 'POST',
        rawBody,
        headers: { 'idempotency-key': 'key-0123456789', ...headers },
      }).then(answer => answer.status);
    const json = { 'content-type': 'application/json' };
    assert.equal(await post('{"a":', json), 400);
    assert.equal(await post('[1]', json), 400);
    assert.equal(await post('"text"', json), 400);
    assert.equal(await post(new Uint8Array([31, 139, 8, 0]), { ...json, 'content-encoding': 'gzip' }), 400);
    assert.equal(await post('source=/r&prompt=x', { 'content-type': 'application/x-www-form-urlencoded' }), 400);
    assert.equal(await post('{"source":"/r","prompt":"x"}', { 'content-type': 'text/plain' }), 400);
    assert.equal(await post('['.repeat(100_000), json), 400);
    assert.equal(server.handlers.seen.length, 0);
  });

  it('gets no prototype polluted', async () => {
    const rawBody =
      '{"source":"/r","prompt":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'key-0123456789' };
    assert.equal((await ask(`${server.url}/v1/sessions`, { method: 'POST', rawBody, headers })).status, 400);
    await ask(`${server.url}/v1/sessions?__proto__[polluted]=1&constructor.prototype.polluted=1`);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('refuses header bombs', async () => {
    const large = { Host: `127.0.0.1:${server.port}`, 'X-Bomb': 'x'.repeat(64 * 1024) };
    assert.equal(statusOf(await request(large)), 431);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`X-${index}`, 'y']));
    assert.equal(statusOf(await request({ Host: `127.0.0.1:${server.port}`, ...many })), 431);
    assert.equal(statusOf(await askRaw(server.port, `GET /${'a'.repeat(64 * 1024)} HTTP/1.1\r\n\r\n`)), 431);
  });

  it('refuses what is no HTTP, and smuggled lengths', async () => {
    assert.equal(statusOf(await askRaw(server.port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.repeat(9))), 400);
    assert.equal(statusOf(await askRaw(server.port, 'GET / HTTP/9.9\r\n\r\n')), 400);
    const both = `POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    assert.equal(statusOf(await askRaw(server.port, both)), 400);
  });

  it('cuts slow-loris connections, before and within the body, and serves others meanwhile', async () => {
    const slow = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const head = `POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n`;
        const body = `Authorization: Bearer ${WIRE_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
        const socket = connect(server.port, '127.0.0.1', () => socket.write(index % 2 === 0 ? head : head + body));
        const drip = setInterval(() => socket.write(index % 2 === 0 ? 'X' : ' '), 50);
        const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
        socket.on('error', () => {});
        socket.resume();
        return { closed: closed.then(() => clearInterval(drip)) };
      }),
    );
    assert.equal((await ask(`${server.url}/v1/relay`)).status, 200);
    await Promise.all(slow.map(({ closed }) => closed));
  });

  it('survives clients that vanish in the middle of everything', async () => {
    for (let round = 0; round < 50; round++) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise(resolve => socket.once('connect', resolve));
      const text = `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${WIRE_TOKEN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sandpiper.v1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
      socket.write(text.slice(0, 20 + round * 8));
      await new Promise(resolve => setImmediate(resolve));
      socket.resetAndDestroy();
    }
  });
});
