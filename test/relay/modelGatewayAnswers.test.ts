import assert from 'node:assert/strict';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'mocha';
import { callGateway, modelCall, useGatewayBench } from '../support/gatewayBench.ts';

function urlOf(server: Server): string {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

describe('answers through the model gateway', () => {
  const bench = useGatewayBench();

  it('counts tokens and money of streamed and of whole answers', async () => {
    await bench().openSession();
    const usage = { input_tokens: 1000, output_tokens: 50, cache_read_input_tokens: 10 };
    await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x', usage }]) });
    await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x', usage }], { stream: false }) });
    assert.deepEqual(
      bench().usages.map(({ sessionId, usage: part }) => [
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
    const cost = bench().usages.reduce((sum, entry) => sum + entry.usage.costUsd, 0);
    assert.ok(Math.abs(cost - 2 * (0.005 + 0.000002)) < 1e-9, `cost ${cost}`);
  });

  it('refuses calls once the budget is spent', async () => {
    await bench().openSession({ budgetUsd: 0.012, spentUsd: 0.004 });
    const body = modelCall([{ text: 'x' }]);
    assert.equal((await callGateway({ socketPath: bench().socket() }, { body })).status, 200);
    assert.equal((await callGateway({ socketPath: bench().socket() }, { body })).status, 200);
    const refused = await callGateway({ socketPath: bench().socket() }, { body });
    assert.equal(refused.status, 402);
    assert.match(refused.body, /\[budget_spent\] The session has spent its budget of \$0\.01/);
    assert.equal(bench().model.requests().length, 2);
  });

  it('cuts a running answer that goes over the budget', async () => {
    await bench().openSession({ budgetUsd: 0.0045, spentUsd: 0 });
    const answer = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([{ text: 'many words '.repeat(200), deltas: 100, delayMs: 5 }]) },
    );
    assert.equal(answer.status, 200);
    assert.ok(!answer.whole && !answer.body.includes('message_stop'), 'it was cut');
    const cost = bench().usages.reduce((sum, entry) => sum + entry.usage.costUsd, 0);
    assert.ok(cost > 0.0045 && cost < 0.006, `cost ${cost}`);
  });

  it('passes errors of the service on, and keeps a refused key from being tried again', async () => {
    await bench().openSession();
    const limited = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([{ status: 429, retryAfter: 7 }]) },
    );
    assert.equal(limited.status, 429);
    assert.equal(limited.headers['retry-after'], '7');
    assert.equal(limited.headers['x-should-retry'], undefined);
    const rejected = await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ status: 401 }]) });
    assert.equal(rejected.headers['x-should-retry'], 'false');
    assert.deepEqual(bench().usages, []);
  });

  it('lets the agent see that an answer broke off', async () => {
    await bench().openSession();
    const body = modelCall([{ text: 'some longer text for a while', deltas: 6, delayMs: 5, drop: 'mid' }]);
    const answer = await callGateway({ socketPath: bench().socket() }, { body });
    assert.equal(answer.status, 200);
    assert.equal(answer.whole, false);
  });

  it('cuts a service that is silent before or in its answer', async () => {
    bench().gateway = bench().start({ silenceMs: 150 });
    await bench().openSession();
    const early = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([{ text: 'x', waitMs: 5000 }]) },
    );
    assert.equal(early.status, 529);
    assert.match(early.body, /overloaded_error/);
    const late = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([{ text: 'some text here', deltas: 4, stallMs: 5000 }]) },
    );
    assert.equal(late.status, 200);
    assert.equal(late.whole, false);
    const steady = await callGateway(
      { socketPath: bench().socket() },
      { body: modelCall([{ text: 'abcdef', deltas: 6, delayMs: 60 }]) },
    );
    assert.ok(steady.whole, 'a slow answer is not a silent one');
  });

  it('answers 502 when the service cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => closed.once('listening', resolve));
    const url = urlOf(closed);
    await new Promise(resolve => closed.close(resolve));
    bench().gateway = bench().start({ upstreamUrl: url });
    await bench().openSession();
    const answer = await callGateway({ socketPath: bench().socket() }, { body: modelCall([{ text: 'x' }]) });
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
    bench().gateway = bench().start({ upstreamUrl: urlOf(slow) });
    await bench().openSession();
    const request = httpRequest({
      socketPath: bench().socket(),
      method: 'POST',
      path: '/v1/messages',
      headers: { 'x-api-key': 'token-a' },
    });
    request.on('error', () => {});
    request.on('response', response => response.once('data', () => request.destroy()));
    request.end(modelCall([]));
    await left;
    slow.close();
  });
});
