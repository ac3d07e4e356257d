import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { SandpiperError } from '../../protocol/errors.ts';
import type { ModelGateway } from '../../server/src/models/gateway.ts';
import { callGateway, GATEWAY_KEY, modelCall, useGatewayBench } from '../support/gatewayBench.ts';

describe('model gateway', () => {
  const bench = useGatewayBench();

  it('takes the token in, sends the real key out, and passes the answer on', async () => {
    assert.deepEqual(await bench().openSession(), { socketName: 'model.sock' });
    const answer = await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'hello' }]) });
    assert.equal(answer.status, 200);
    assert.match(answer.body, /"text":"hello"/);
    const [seen] = bench().model.requests();
    assert.equal(seen?.headers['x-api-key'], GATEWAY_KEY);
    assert.equal(seen?.headers['authorization'], undefined);
    assert.ok(!JSON.stringify(bench().model.requests()).includes('token-a'), 'the token stays inside');
    assert.ok(!JSON.stringify(answer).includes(GATEWAY_KEY));
  });

  it('sends a bearer token when the relay has one instead of a key', async () => {
    bench().gateway = bench().start({ key: () => ({ kind: 'authToken', value: GATEWAY_KEY }) });
    await bench().openSession();
    assert.equal(
      (await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]) })).status,
      200,
    );
    assert.equal(bench().model.requests()[0]?.headers['authorization'], `Bearer ${GATEWAY_KEY}`);
  });

  it('forwards harmless headers only', async () => {
    await bench().openSession();
    const headers = {
      'anthropic-beta': 'b1',
      'x-claude-code-session-id': 's',
      cookie: 'c=1',
      'x-forwarded-for': '1.2.3.4',
      'x-api-key': 'sk-mine',
      'accept-encoding': 'gzip',
      'proxy-authorization': 'p',
    };
    await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]), headers });
    const seen = bench().model.requests()[0]?.headers ?? {};
    assert.equal(seen['anthropic-beta'], 'b1');
    assert.equal(seen['x-claude-code-session-id'], 's');
    assert.equal(seen['accept-encoding'], 'identity');
    for (const name of ['cookie', 'x-forwarded-for', 'proxy-authorization', 'authorization']) {
      assert.equal(seen[name], undefined, name);
    }
  });

  it('refuses a wrong token, the token of another session, and web pages', async () => {
    await bench().openSession();
    await bench().gateway.open({
      sessionId: 'b',
      token: 'token-b',
      socketFolder: join(bench().folder, 'b'),
      spentUsd: 0,
    });
    for (const token of ['', 'nonsense', 'token-b', 'token-aa']) {
      const answer = await callGateway(
        { socketPath: bench().socket('a') },
        { headers: { authorization: `Bearer ${token}` } },
      );
      assert.equal(answer.status, 401, token);
      assert.equal(answer.headers['x-should-retry'], 'false');
      assert.match(answer.body, /"type":"authentication_error"/);
    }
    const fromPage = await callGateway(
      { socketPath: bench().socket() },
      { headers: { origin: 'https://evil.example' } },
    );
    assert.equal(fromPage.status, 403);
    assert.deepEqual(bench().model.requests(), []);
  });

  it('passes on nothing but the calls that an agent needs', async () => {
    await bench().openSession();
    const refused: [string, string][] = [
      ['POST', '/v1/messages/batches'],
      ['GET', '/v1/messages'],
      ['POST', '/v1/files'],
      ['GET', '/v1/organizations/me'],
      ['GET', '/v1/models/../organizations'],
      ['GET', '/v1/models/..'],
      ['POST', '/v1/messages/../../admin'],
      ['POST', '/v1/messages%2f..%2fadmin'],
      ['POST', '//evil.example/v1/messages'],
      ['POST', 'http://evil.example/v1/messages'],
      ['GET', '/'],
    ];
    for (const [method, path] of refused) {
      assert.equal(
        (await callGateway({ socketPath: bench().socket() }, { method, path })).status,
        404,
        `${method} ${path}`,
      );
    }
    assert.deepEqual(bench().model.requests(), []);
    assert.equal((await callGateway({ socketPath: bench().socket() }, { method: 'HEAD', path: '/' })).status, 200);
    assert.equal(
      (await callGateway({ socketPath: bench().socket() }, { method: 'GET', path: '/api/hello' })).status,
      200,
    );
    assert.deepEqual(bench().model.requests(), [], 'greetings are answered here');
    assert.equal(
      (await callGateway({ socketPath: bench().socket() }, { method: 'GET', path: '/v1/models?limit=5' })).status,
      200,
    );
    const count = { path: '/v1/messages/count_tokens?beta=true', body: modelCall([]) };
    assert.match((await callGateway({ socketPath: bench().socket() }, count)).body, /input_tokens/);
  });

  it('keeps a path in front of the upstream', async () => {
    bench().gateway = bench().start({ upstreamUrl: `${bench().model.url}/gateway/anthropic/` });
    await bench().openSession();
    assert.equal(
      (await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]) })).status,
      200,
    );
    assert.equal(bench().model.requests()[0]?.path, '/gateway/anthropic/v1/messages');
  });

  it('says clearly that the relay has no key', async () => {
    bench().gateway = bench().start({ key: () => undefined });
    await bench().openSession();
    const answer = await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]) });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /\[model_key_missing\] The relay has no model key/);
    assert.equal(answer.headers['x-should-retry'], 'false');
  });

  it('refuses a body that is too large, not JSON, or asks for another model', async () => {
    await bench().openSession({ models: ['claude-opus'] });
    const large = await callGateway(
      { socketPath: bench().socket() },
      { body: Buffer.alloc(33 * 1024 * 1024, 'x') },
    ).catch(() => undefined);
    assert.ok(large === undefined || large.status === 413);
    assert.equal((await callGateway({ socketPath: bench().socket() }, { body: 'x' })).status, 400);
    const other = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([], { model: 'claude-sonnet-5' }) },
    );
    assert.equal(other.status, 403);
    assert.deepEqual(bench().model.requests(), []);
  });

  it('serves two sessions at once, tells them apart on TCP, and forgets a closed one', async () => {
    await bench().openSession();
    await bench().gateway.open({ sessionId: 'b', token: 'token-b', spentUsd: 0 });
    const { port, url } = await bench().gateway.listenTcp('127.0.0.1', 0);
    assert.equal(url, `http://127.0.0.1:${port}`);
    const body = modelCall([{ text: 'x', delayMs: 5 }]);
    const answers = await Promise.all([
      callGateway({ socketPath: bench().socket() }, { body }),
      callGateway({ port }, { body, headers: { authorization: 'Bearer token-b' } }),
      callGateway({ port }, { body, headers: { authorization: 'Bearer wrong' } }),
    ]);
    assert.deepEqual(
      answers.map(answer => answer.status),
      [200, 200, 401],
    );
    assert.deepEqual([...new Set(bench().usages.map(entry => entry.sessionId))].sort(), ['a', 'b']);
    await bench().gateway.close('b');
    await bench().gateway.close('b');
    assert.equal((await callGateway({ port }, { body, headers: { authorization: 'Bearer token-b' } })).status, 401);
    await bench().gateway.close('a');
    assert.ok(!existsSync(bench().socket()), 'the socket is gone');
  });

  it('asks an agent to come again whose session a relay that was started anew has yet to take up', async () => {
    const { port } = await bench().gateway.listenTcp('127.0.0.1', 0, 60_000);
    const ask = async () =>
      callGateway({ port }, { body: modelCall([{ text: 'x' }]), headers: { authorization: 'Bearer token-b' } });
    const early = await ask();
    assert.deepEqual([early.status, early.headers['x-should-retry']], [503, 'true']);
    await bench().gateway.open({ sessionId: 'b', token: 'token-b', spentUsd: 0 });
    assert.equal((await ask()).status, 200);
  });

  it('makes the socket anew where a killed relay left one, and never removes another file', async () => {
    await bench().openSession();
    const second = bench().start();
    await second.open({ sessionId: 'a', token: 'token-2', socketFolder: join(bench().folder, 'a'), spentUsd: 0 });
    const headers = { authorization: 'Bearer token-2' };
    assert.equal(
      (await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]), headers })).status,
      200,
    );
    await second.dispose();

    mkdirSync(join(bench().folder, 'c'));
    writeFileSync(bench().socket('c'), 'mine');
    await assert.rejects(
      bench().openSession({ sessionId: 'c', socketFolder: join(bench().folder, 'c') }),
      error => error instanceof SandpiperError && error.code === 'sandbox_unavailable',
    );
    assert.equal(readFileSync(bench().socket('c'), 'utf8'), 'mine');
  });

  it('fails clearly when the path of the socket is too long', async () => {
    await assert.rejects(
      bench().openSession({ socketFolder: join(bench().folder, 'x'.repeat(120)) }),
      error => error instanceof SandpiperError && error.code === 'invalid_params' && error.hint !== undefined,
    );
  });

  it('knows whether a call is in flight and when it last gave a sign', async () => {
    await bench().openSession();
    assert.equal(bench().gateway.lastRequest('nobody'), undefined);
    assert.deepEqual(bench().gateway.lastRequest('a'), { inFlight: 0, since: undefined, lastByteAt: undefined });
    let during: ReturnType<ModelGateway['lastRequest']>;
    const before = Date.now();
    await callGateway(
      { socketPath: bench().socket() },
      {
        body: modelCall([{ text: 'abcd', deltas: 4, delayMs: 20 }]),
        onData: () => (during ??= bench().gateway.lastRequest('a')),
      },
    );
    assert.equal(during?.inFlight, 1);
    assert.ok((during?.since ?? 0) >= before && (during?.lastByteAt ?? 0) >= before);
    assert.equal(bench().gateway.lastRequest('a')?.inFlight, 0);
  });

  it('writes neither bodies nor keys to the log', async () => {
    await bench().openSession();
    await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'secret-body' }]) });
    assert.match(bench().log, /"sessionId":"a"/);
    for (const secret of [GATEWAY_KEY, 'token-a', 'secret-body']) {
      assert.ok(!bench().log.includes(secret), secret);
    }
  });
});
