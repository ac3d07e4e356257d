import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Usage } from '../../protocol/events.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { createLogger } from '../../server/src/core/log.ts';
import { createModelGateway, type ModelGateway, type ModelGatewayOptions } from '../../server/src/models/gateway.ts';
import { scripted, type StepInput } from '../support/modelScript.ts';
import { startScriptedModel, type ScriptedModel } from '../support/scriptedModel.ts';

const REAL_KEY = `sk-ant-canary-${randomUUID()}`;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Whether the answer came to its end. */
  whole: boolean;
}

interface Call {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  onData?(text: string): void;
}

function urlOf(server: Server): string {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

describe('model gateway', () => {
  let folder: string;
  let model: ScriptedModel;
  let gateway: ModelGateway;
  let usages: { sessionId: string; usage: Usage }[];
  let log: string;

  const start = (options: Partial<ModelGatewayOptions> = {}): ModelGateway =>
    createModelGateway({
      upstreamUrl: model.url,
      key: () => ({ kind: 'apiKey', value: REAL_KEY }),
      log: createLogger('debug', line => (log += line)),
      onUsage: (sessionId, usage) => usages.push({ sessionId, usage }),
      ...options,
    });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sp-'));
    usages = [];
    log = '';
    model = await startScriptedModel({ apiKey: REAL_KEY });
    gateway = start();
  });

  afterEach(async () => {
    await gateway.dispose();
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const socket = (name = 'a'): string => join(folder, name, 'model.sock');
  const openSession = (more: Partial<Parameters<ModelGateway['open']>[0]> = {}) =>
    gateway.open({ sessionId: 'a', token: 'token-a', socketFolder: join(folder, 'a'), spentUsd: 0, ...more });

  const call = (to: { socketPath: string } | { port: number }, what: Call = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          ...to,
          host: '127.0.0.1',
          method: what.method ?? 'POST',
          path: what.path ?? '/v1/messages',
          headers: { authorization: 'Bearer token-a', 'content-type': 'application/json', ...what.headers },
        },
        response => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body += text;
            what.onData?.(text);
          });
          response.on('error', () => {});
          response.on('close', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body, whole: response.complete }),
          );
        },
      );
      request.on('error', reject);
      request.end(what.body);
    });

  const ask = (steps: StepInput[], more: object = {}): string =>
    JSON.stringify({
      model: 'claude-opus-5-5',
      stream: true,
      tools: [{ name: 'Bash' }],
      messages: [{ role: 'user', content: scripted('go', steps) }],
      ...more,
    });

  it('takes the token in, sends the real key out, and passes the answer on', async () => {
    assert.deepEqual(await openSession(), { socketName: 'model.sock' });
    const answer = await call({ socketPath: socket() }, { body: ask([{ text: 'hello' }]) });
    assert.equal(answer.status, 200);
    assert.match(answer.body, /"text":"hello"/);
    const [seen] = model.requests();
    assert.equal(seen?.headers['x-api-key'], REAL_KEY);
    assert.equal(seen?.headers['authorization'], undefined);
    assert.ok(!JSON.stringify(model.requests()).includes('token-a'), 'the token stays inside');
    assert.ok(!JSON.stringify(answer).includes(REAL_KEY));
  });

  it('sends a bearer token when the relay has one instead of a key', async () => {
    gateway = start({ key: () => ({ kind: 'authToken', value: REAL_KEY }) });
    await openSession();
    assert.equal((await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]) })).status, 200);
    assert.equal(model.requests()[0]?.headers['authorization'], `Bearer ${REAL_KEY}`);
  });

  it('forwards harmless headers only', async () => {
    await openSession();
    const headers = {
      'anthropic-beta': 'b1',
      'x-claude-code-session-id': 's',
      cookie: 'c=1',
      'x-forwarded-for': '1.2.3.4',
      'x-api-key': 'sk-mine',
      'accept-encoding': 'gzip',
      'proxy-authorization': 'p',
    };
    await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]), headers });
    const seen = model.requests()[0]?.headers ?? {};
    assert.equal(seen['anthropic-beta'], 'b1');
    assert.equal(seen['x-claude-code-session-id'], 's');
    assert.equal(seen['accept-encoding'], 'identity');
    for (const name of ['cookie', 'x-forwarded-for', 'proxy-authorization', 'authorization']) {
      assert.equal(seen[name], undefined, name);
    }
  });

  it('refuses a wrong token, the token of another session, and web pages', async () => {
    await openSession();
    await gateway.open({ sessionId: 'b', token: 'token-b', socketFolder: join(folder, 'b'), spentUsd: 0 });
    for (const token of ['', 'nonsense', 'token-b', 'token-aa']) {
      const answer = await call({ socketPath: socket('a') }, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 401, token);
      assert.equal(answer.headers['x-should-retry'], 'false');
      assert.match(answer.body, /"type":"authentication_error"/);
    }
    const fromPage = await call({ socketPath: socket() }, { headers: { origin: 'https://evil.example' } });
    assert.equal(fromPage.status, 403);
    assert.deepEqual(model.requests(), []);
  });

  it('passes on nothing but the calls that an agent needs', async () => {
    await openSession();
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
      assert.equal((await call({ socketPath: socket() }, { method, path })).status, 404, `${method} ${path}`);
    }
    assert.deepEqual(model.requests(), []);
    assert.equal((await call({ socketPath: socket() }, { method: 'HEAD', path: '/' })).status, 200);
    assert.equal((await call({ socketPath: socket() }, { method: 'GET', path: '/api/hello' })).status, 200);
    assert.deepEqual(model.requests(), [], 'greetings are answered here');
    assert.equal((await call({ socketPath: socket() }, { method: 'GET', path: '/v1/models?limit=5' })).status, 200);
    const count = { path: '/v1/messages/count_tokens?beta=true', body: ask([]) };
    assert.match((await call({ socketPath: socket() }, count)).body, /input_tokens/);
  });

  it('keeps a path in front of the upstream', async () => {
    gateway = start({ upstreamUrl: `${model.url}/gateway/anthropic/` });
    await openSession();
    assert.equal((await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]) })).status, 200);
    assert.equal(model.requests()[0]?.path, '/gateway/anthropic/v1/messages');
  });

  it('says clearly that the relay has no key', async () => {
    gateway = start({ key: () => undefined });
    await openSession();
    const answer = await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]) });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /\[model_key_missing\] The relay has no model key/);
    assert.equal(answer.headers['x-should-retry'], 'false');
  });

  it('refuses a body that is too large, not JSON, or asks for another model', async () => {
    await openSession({ models: ['claude-opus'] });
    const large = await call({ socketPath: socket() }, { body: Buffer.alloc(33 * 1024 * 1024, 'x') }).catch(
      () => undefined,
    );
    assert.ok(large === undefined || large.status === 413);
    assert.equal((await call({ socketPath: socket() }, { body: 'x' })).status, 400);
    const other = await call({ socketPath: socket() }, { body: ask([], { model: 'claude-sonnet-5' }) });
    assert.equal(other.status, 403);
    assert.deepEqual(model.requests(), []);
  });

  it('counts tokens and money of streamed and of whole answers', async () => {
    await openSession();
    const usage = { input_tokens: 1000, output_tokens: 50, cache_read_input_tokens: 10 };
    await call({ socketPath: socket() }, { body: ask([{ text: 'x', usage }]) });
    await call({ socketPath: socket() }, { body: ask([{ text: 'x', usage }], { stream: false }) });
    assert.deepEqual(
      usages.map(({ sessionId, usage: part }) => [
        sessionId,
        part.inputTokens,
        part.outputTokens,
        part.cacheReadTokens,
      ]),
      [
        ['a', 1000, 0, 10],
        ['a', 0, 50, 0],
        ['a', 1000, 50, 10],
      ],
    );
    const cost = usages.reduce((sum, entry) => sum + entry.usage.costUsd, 0);
    assert.ok(Math.abs(cost - 2 * (0.005 + 0.000002)) < 1e-9, `cost ${cost}`);
  });

  it('refuses calls once the budget is spent', async () => {
    await openSession({ budgetUsd: 0.012, spentUsd: 0.004 });
    const body = ask([{ text: 'x' }]);
    assert.equal((await call({ socketPath: socket() }, { body })).status, 200);
    assert.equal((await call({ socketPath: socket() }, { body })).status, 200);
    const refused = await call({ socketPath: socket() }, { body });
    assert.equal(refused.status, 402);
    assert.match(refused.body, /\[budget_spent\] The session has spent its budget of \$0\.01/);
    assert.equal(model.requests().length, 2);
  });

  it('cuts a running answer that goes over the budget', async () => {
    await openSession({ budgetUsd: 0.0045, spentUsd: 0 });
    const answer = await call(
      { socketPath: socket() },
      { body: ask([{ text: 'many words '.repeat(200), deltas: 100, delayMs: 5 }]) },
    );
    assert.equal(answer.status, 200);
    assert.ok(!answer.whole && !answer.body.includes('message_stop'), 'it was cut');
    const cost = usages.reduce((sum, entry) => sum + entry.usage.costUsd, 0);
    assert.ok(cost > 0.0045 && cost < 0.006, `cost ${cost}`);
  });

  it('passes errors of the service on, and keeps a refused key from being tried again', async () => {
    await openSession();
    const limited = await call({ socketPath: socket() }, { body: ask([{ status: 429, retryAfter: 7 }]) });
    assert.equal(limited.status, 429);
    assert.equal(limited.headers['retry-after'], '7');
    assert.equal(limited.headers['x-should-retry'], undefined);
    const rejected = await call({ socketPath: socket() }, { body: ask([{ status: 401 }]) });
    assert.equal(rejected.headers['x-should-retry'], 'false');
    assert.deepEqual(usages, []);
  });

  it('lets the agent see that an answer broke off', async () => {
    await openSession();
    const body = ask([{ text: 'some longer text for a while', deltas: 6, delayMs: 5, drop: 'mid' }]);
    const answer = await call({ socketPath: socket() }, { body });
    assert.equal(answer.status, 200);
    assert.equal(answer.whole, false);
  });

  it('cuts a service that is silent before or in its answer', async () => {
    gateway = start({ silenceMs: 150 });
    await openSession();
    const early = await call({ socketPath: socket() }, { body: ask([{ text: 'x', waitMs: 5000 }]) });
    assert.equal(early.status, 529);
    assert.match(early.body, /overloaded_error/);
    const late = await call(
      { socketPath: socket() },
      { body: ask([{ text: 'some text here', deltas: 4, stallMs: 5000 }]) },
    );
    assert.equal(late.status, 200);
    assert.equal(late.whole, false);
    const steady = await call({ socketPath: socket() }, { body: ask([{ text: 'abcdef', deltas: 6, delayMs: 60 }]) });
    assert.ok(steady.whole, 'a slow answer is not a silent one');
  });

  it('answers 502 when the service cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => closed.once('listening', resolve));
    const url = urlOf(closed);
    await new Promise(resolve => closed.close(resolve));
    gateway = start({ upstreamUrl: url });
    await openSession();
    const answer = await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]) });
    assert.equal(answer.status, 502);
    assert.match(answer.body, /"type":"api_error"/);
  });

  it('stops the upstream call when the agent goes away', async () => {
    let closedEarly: (() => void) | undefined;
    const left = new Promise<void>(resolve => (closedEarly = resolve));
    const slow = createHttpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: ping\ndata: {"type":"ping"}\n\n');
      response.on('close', () => closedEarly?.());
    }).listen(0, '127.0.0.1');
    await new Promise(resolve => slow.once('listening', resolve));
    gateway = start({ upstreamUrl: urlOf(slow) });
    await openSession();
    const request = httpRequest({
      socketPath: socket(),
      method: 'POST',
      path: '/v1/messages',
      headers: { 'x-api-key': 'token-a' },
    });
    request.on('error', () => {});
    request.on('response', response => response.once('data', () => request.destroy()));
    request.end(ask([]));
    await left;
    slow.close();
  });

  it('serves two sessions at once, tells them apart on TCP, and forgets a closed one', async () => {
    await openSession();
    await gateway.open({ sessionId: 'b', token: 'token-b', spentUsd: 0 });
    const { port, url } = await gateway.listenTcp('127.0.0.1', 0);
    assert.equal(url, `http://127.0.0.1:${port}`);
    const body = ask([{ text: 'x', delayMs: 5 }]);
    const answers = await Promise.all([
      call({ socketPath: socket() }, { body }),
      call({ port }, { body, headers: { authorization: 'Bearer token-b' } }),
      call({ port }, { body, headers: { authorization: 'Bearer wrong' } }),
    ]);
    assert.deepEqual(
      answers.map(answer => answer.status),
      [200, 200, 401],
    );
    assert.deepEqual([...new Set(usages.map(entry => entry.sessionId))].sort(), ['a', 'b']);
    await gateway.close('b');
    await gateway.close('b');
    assert.equal((await call({ port }, { body, headers: { authorization: 'Bearer token-b' } })).status, 401);
    await gateway.close('a');
    assert.ok(!existsSync(socket()), 'the socket is gone');
  });

  it('makes the socket anew where a killed relay left one, and never removes another file', async () => {
    await openSession();
    const second = start();
    await second.open({ sessionId: 'a', token: 'token-2', socketFolder: join(folder, 'a'), spentUsd: 0 });
    const headers = { authorization: 'Bearer token-2' };
    assert.equal((await call({ socketPath: socket() }, { body: ask([{ text: 'x' }]), headers })).status, 200);
    await second.dispose();

    mkdirSync(join(folder, 'c'));
    writeFileSync(socket('c'), 'mine');
    await assert.rejects(
      openSession({ sessionId: 'c', socketFolder: join(folder, 'c') }),
      error => error instanceof SandpiperError && error.code === 'sandbox_unavailable',
    );
    assert.equal(readFileSync(socket('c'), 'utf8'), 'mine');
  });

  it('fails clearly when the path of the socket is too long', async () => {
    await assert.rejects(
      openSession({ socketFolder: join(folder, 'x'.repeat(120)) }),
      error => error instanceof SandpiperError && error.code === 'invalid_params' && error.hint !== undefined,
    );
  });

  it('knows whether a call is in flight and when it last gave a sign', async () => {
    await openSession();
    assert.equal(gateway.lastRequest('nobody'), undefined);
    assert.deepEqual(gateway.lastRequest('a'), { inFlight: 0, since: undefined, lastByteAt: undefined });
    let during: ReturnType<ModelGateway['lastRequest']>;
    const before = Date.now();
    await call(
      { socketPath: socket() },
      { body: ask([{ text: 'abcd', deltas: 4, delayMs: 20 }]), onData: () => (during ??= gateway.lastRequest('a')) },
    );
    assert.equal(during?.inFlight, 1);
    assert.ok((during?.since ?? 0) >= before && (during?.lastByteAt ?? 0) >= before);
    assert.equal(gateway.lastRequest('a')?.inFlight, 0);
  });

  it('writes neither bodies nor keys to the log', async () => {
    await openSession();
    await call({ socketPath: socket() }, { body: ask([{ text: 'secret-body' }]) });
    assert.match(log, /"sessionId":"a"/);
    for (const secret of [REAL_KEY, 'token-a', 'secret-body']) {
      assert.ok(!log.includes(secret), secret);
    }
  });
});
