import assert from 'node:assert/strict';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { eventually } from '../support/eventually.ts';
import { useGatewayBench } from '../support/gatewayBench.ts';

const START = '{"model":"claude-opus-5-5","messages":"';
const PART = 'x'.repeat(300_000);

/** What the model service was sent by one call. */
interface Seen {
  bytes: number;
  whole: boolean;
  closed: boolean;
}

describe('long calls through the model gateway', () => {
  const bench = useGatewayBench();
  let seen: Seen[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let stop: () => void;

  beforeEach(async () => {
    seen = [];
    answer = (request, response) => request.on('end', () => response.end('{}'));
    const upstream = createServer((request, response) => {
      const call: Seen = { bytes: 0, whole: false, closed: false };
      seen.push(call);
      request.on('data', (chunk: Buffer) => (call.bytes += chunk.length));
      request.on('end', () => (call.whole = true));
      request.on('error', () => {});
      response.on('close', () => (call.closed = true));
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await new Promise(resolve => upstream.once('listening', resolve));
    stop = () => {
      upstream.close();
      upstream.closeAllConnections();
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    const { port } = upstream.address() as AddressInfo;
    bench().gateway = bench().start({ upstreamUrl: `http://127.0.0.1:${port}` });
    await bench().openSession();
  });
  afterEach(() => stop());

  function call(bytes: number, agent?: Agent): ReturnType<typeof httpRequest> {
    return httpRequest({
      socketPath: bench().socket(),
      method: 'POST',
      path: '/v1/messages',
      headers: { 'x-api-key': 'token-a', 'content-length': bytes },
      ...(agent && { agent }),
    });
  }

  function answerOf(request: ReturnType<typeof httpRequest>): Promise<{ status: number | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', response => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
    });
  }

  it('reach the model as they come, whole and unchanged', async () => {
    const request = call(START.length + 2 * PART.length + 2);
    const answered = answerOf(request);
    request.write(START);
    request.write(PART);
    await eventually(() => assert.equal(seen[0]?.bytes, START.length + PART.length));
    assert.equal(seen[0]?.whole, false, 'the rest was not sent yet');
    request.end(`${PART}"}`);
    assert.deepEqual(await answered, { status: 200, body: '{}' });
    assert.deepEqual([seen[0]?.bytes, seen[0]?.whole], [START.length + 2 * PART.length + 2, true]);
  });

  it('are read whole first where the session may not use every model', async () => {
    await bench().openSession({ models: ['claude-opus'] });
    const body = `${START}${PART}","model":"claude-sonnet-5"}`;
    const request = call(body.length);
    const answered = answerOf(request);
    request.end(body);
    assert.equal((await answered).status, 403);
    assert.deepEqual(seen, []);
  });

  it('end at the model when the agent leaves in the middle', async () => {
    const request = call(START.length + 2 * PART.length);
    request.on('error', () => {});
    request.write(START + PART);
    await eventually(() => assert.ok((seen[0]?.bytes ?? 0) > START.length));
    request.destroy();
    await eventually(() => assert.equal(seen[0]?.closed, true));
    assert.equal(seen[0]?.whole, false);
    assert.equal(bench().gateway.lastRequest('a')?.inFlight, 0);
  });

  it('may be answered early, and the connection goes on with the next call', async () => {
    answer = (_request, response) => response.writeHead(429, { 'content-type': 'application/json' }).end('{"busy":1}');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const first = call(START.length + 2 * PART.length + 2, agent);
      const refused = answerOf(first);
      first.write(START + PART);
      await eventually(() => assert.equal(seen.length, 1));
      const { socket } = first;
      first.end(`${PART}"}`);
      assert.equal((await refused).status, 429);
      answer = (request, response) => request.on('end', () => response.end('{}'));
      const second = call(START.length + 2, agent);
      const answered = answerOf(second);
      second.end(`${START}"}`);
      assert.equal((await answered).status, 200);
      assert.equal(second.socket, socket, 'on the same connection');
    } finally {
      agent.destroy();
    }
  });
});
