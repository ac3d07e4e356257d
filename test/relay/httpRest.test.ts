import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { SandpiperError } from '../../protocol/errors.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { addBlob } from '../support/wireHandlers.ts';
import { ask } from '../support/wireHttp.ts';
import { notice } from '../support/wireSource.ts';

const KEY = { 'idempotency-key': 'key-0123456789' };

describe('http: REST', () => {
  let server: WireServer;
  let ready: () => Promise<void> = () => Promise.resolve();

  before(async () => {
    server = await startWireServer({ ready: () => ready() });
  });
  after(() => server.close());

  it('is alive without a token and depends on nothing', async () => {
    ready = () => Promise.reject(new SandpiperError('disk_full', 'The disk is full.', { hint: 'Free some.' }));
    const alive = await ask(`${server.url}/livez`, { token: undefined });
    assert.deepEqual([alive.status, alive.body], [200, { status: 'alive', service: 'sandpiper' }]);
    const notReady = await ask(`${server.url}/readyz`);
    assert.deepEqual([notReady.status, notReady.body['code'], notReady.body['hint']], [507, 'disk_full', 'Free some.']);
    ready = () => Promise.reject(new Error('no'));
    assert.equal((await ask(`${server.url}/readyz`)).status, 503);
    ready = () => Promise.resolve();
    assert.equal((await ask(`${server.url}/readyz`)).status, 200);
  });

  it('creates with 201, Location and the key from the header', async () => {
    const body = { source: '/repo', prompt: 'Do it' };
    const created = await ask(`${server.url}/v1/sessions`, { method: 'POST', body, headers: KEY });
    assert.equal(created.status, 201);
    assert.equal(created.headers.get('location'), `/v1/sessions/${String(created.body['sessionId'])}`);
    assert.equal(created.headers.get('cache-control'), 'no-store');
    assert.equal(created.headers.get('x-powered-by'), null);
    assert.equal(server.handlers.seen.at(-1)?.key, KEY['idempotency-key']);
    const got = await ask(new URL(created.headers.get('location') ?? '', server.url).href);
    assert.equal(got.body['id'], created.body['sessionId']);
  });

  it('wants the key, and in the header only', async () => {
    const body = { source: '/repo', prompt: 'Do it' };
    const without = await ask(`${server.url}/v1/sessions`, { method: 'POST', body });
    assert.deepEqual([without.status, without.body['code']], [400, 'invalid_params']);
    assert.match(String(without.body['detail']), /Idempotency-Key/);
    const inBody = await ask(`${server.url}/v1/sessions`, {
      method: 'POST',
      body: { ...body, key: 'key-0123456789' },
      headers: KEY,
    });
    assert.match(String(inBody.body['hint']), /Idempotency-Key/);
  });

  it('reads numbers and booleans from the query, and refuses what it does not know', async () => {
    const sessionId = server.sessions.create();
    server.sessions.append(sessionId, notice('a'), notice('b'), notice('c'));
    const page = await ask(`${server.url}/v1/sessions/${sessionId}/events?after=1&limit=2`);
    assert.deepEqual([Array.isArray(page.body['events']) && page.body['events'].length, page.body['lastSeq']], [2, 4]);
    const archived = await ask(`${server.url}/v1/sessions?archived=true`);
    assert.deepEqual(archived.body['sessions'], []);
    const wrong = await ask(`${server.url}/v1/sessions/${sessionId}/events?after=soon`);
    assert.equal(wrong.status, 400);
    assert.match(String(wrong.body['detail']), /after: /);
    assert.equal((await ask(`${server.url}/v1/sessions?limt=3`)).status, 400);
    assert.equal((await ask(`${server.url}/v1/sessions?limit=3&limit=4`)).status, 400);
  });

  it('gives cursors as a link too', async () => {
    server.sessions.create();
    server.sessions.create();
    const page = await ask(`${server.url}/v1/sessions?limit=1`);
    assert.equal(page.body['nextCursor'], 'more');
    assert.equal(page.headers.get('link'), '</v1/sessions?limit=1&cursor=more>; rel="next"');
  });

  it('answers 304 while the seq is the same', async () => {
    const sessionId = server.sessions.create();
    const url = `${server.url}/v1/sessions/${sessionId}`;
    const first = await ask(url);
    assert.equal(first.headers.get('etag'), '"1"');
    assert.equal((await ask(url, { headers: { 'if-none-match': '"1"' } })).status, 304);
    server.sessions.append(sessionId, notice('a'));
    assert.equal((await ask(url, { headers: { 'if-none-match': '"1"' } })).status, 200);
  });

  it('changes with PATCH, and an empty result is an empty object', async () => {
    const sessionId = server.sessions.create();
    const url = `${server.url}/v1/sessions/${sessionId}`;
    const renamed = await ask(url, { method: 'PATCH', body: { title: 'Other' }, headers: KEY });
    assert.deepEqual([renamed.status, renamed.body], [200, {}]);
    assert.equal((await ask(url)).body['title'], 'Other');
  });

  it('answers failures as RFC 9457 says', async () => {
    const path = `/v1/sessions/ses_${'0'.repeat(26)}`;
    const missing = await ask(server.url + path);
    assert.equal(missing.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.deepEqual(missing.body, {
      type: 'urn:sandpiper:error:not_found',
      title: 'Not Found',
      status: 404,
      detail: `There is no session ses_${'0'.repeat(26)}.`,
      instance: path,
      code: 'not_found',
      retryable: false,
    });
    assert.equal((await ask(`${server.url}/v1/nothing`)).body['code'], 'unknown_call');
    assert.equal((await ask(`${server.url}/v1/relay/checks`)).status, 500);
    assert.equal((await ask(`${server.url}/v1/sessions/ses_%zz`)).status, 400);
  });

  it('streams a blob, whole and in ranges', async () => {
    const content = randomBytes(2_500_000);
    const hash = addBlob(server.handlers, content);
    const url = `${server.url}/v1/sessions/${server.sessions.create()}/blobs/${hash}`;
    const get = async (range?: string): Promise<{ status: number; bytes: Buffer; range: string | null }> => {
      const headers = { authorization: `Bearer ${WIRE_TOKEN}`, ...(range === undefined ? {} : { range }) };
      const response = await fetch(url, { headers });
      const bytes = Buffer.from(await response.arrayBuffer());
      return { status: response.status, bytes, range: response.headers.get('content-range') };
    };
    assert.ok((await get()).bytes.equals(content));
    const part = await get('bytes=1000000-2100000');
    assert.deepEqual([part.status, part.range], [206, 'bytes 1000000-2100000/2500000']);
    assert.ok(part.bytes.equals(content.subarray(1_000_000, 2_100_001)));
    assert.ok((await get('bytes=-10')).bytes.equals(content.subarray(-10)));
    assert.deepEqual([(await get('bytes=2500000-')).status, (await get('bytes=5-1')).status], [416, 200]);
    assert.equal((await ask(url.replace(hash, '0'.repeat(64)))).status, 404);
    assert.equal((await ask(url.replace(hash, 'x'))).status, 400);
  });

  it('exchanges a ticket once, for a token that opens everything but further tickets', async () => {
    const issued = await ask(`${server.url}/v1/tickets`, { method: 'POST' });
    assert.equal(issued.status, 201);
    const redeem = (): ReturnType<typeof ask> =>
      ask(`${server.url}/v1/tickets/redeem`, {
        method: 'POST',
        body: { ticket: issued.body['ticket'] },
        token: undefined,
      });
    const redeemed = await redeem();
    assert.equal(redeemed.status, 201);
    const token = String(redeemed.body['token']);
    assert.equal((await redeem()).status, 401);
    assert.equal((await ask(`${server.url}/v1/relay`, { token })).status, 200);
    assert.equal((await ask(`${server.url}/v1/tickets`, { method: 'POST', token })).status, 403);
  });

  it('forgets tickets after 60 s and browser tokens after 12 h', async () => {
    let now = 1_000_000;
    const clocked = await startWireServer({ now: () => now });
    try {
      const issue = async (): Promise<unknown> =>
        (await ask(`${clocked.url}/v1/tickets`, { method: 'POST' })).body['ticket'];
      const redeem = (ticket: unknown): ReturnType<typeof ask> =>
        ask(`${clocked.url}/v1/tickets/redeem`, { method: 'POST', body: { ticket }, token: undefined });
      const late = await issue();
      now += 60_001;
      assert.equal((await redeem(late)).status, 401);
      const token = String((await redeem(await issue())).body['token']);
      now += 12 * 3_600_000 - 1;
      assert.equal((await ask(`${clocked.url}/v1/relay`, { token })).status, 200);
      now += 2;
      assert.equal((await ask(`${clocked.url}/v1/relay`, { token })).status, 401);
    } finally {
      await clocked.close();
    }
  });
});
