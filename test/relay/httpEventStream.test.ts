import { strict as assert } from 'node:assert';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { ask } from '../support/wireHttp.ts';
import { notice } from '../support/wireSource.ts';
import { until } from '../support/wireUntil.ts';

describe('http: event stream', () => {
  let server: WireServer;
  let sessionId: string;
  const open: AbortController[] = [];

  beforeEach(async () => {
    server = await startWireServer({ http: { streamHeartbeatMs: 50, streamStallTimeoutMs: 300 } });
    sessionId = server.sessions.create();
  });
  afterEach(async () => {
    open.splice(0).forEach(controller => controller.abort());
    await server.close();
  });

  /** What came so far. `read` false: the client takes nothing. */
  async function stream(
    query = '',
    headers: Record<string, string> = {},
    read = true,
  ): Promise<{ text: string; ended: boolean; abort(): void }> {
    const controller = new AbortController();
    open.push(controller);
    const response = await fetch(`${server.url}/v1/sessions/${sessionId}/events/stream${query}`, {
      headers: { authorization: `Bearer ${WIRE_TOKEN}`, ...headers },
      signal: controller.signal,
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const seen = { text: '', ended: false, abort: () => controller.abort() };
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const pump = async (): Promise<void> => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        seen.text += part.value;
      }
    };
    if (read) {
      void pump().then(
        () => (seen.ended = true),
        () => (seen.ended = true),
      );
    }
    return seen;
  }

  const ids = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(match => Number(match[1]));

  it('gives the log and then what happens, the seq as id, with a heartbeat', async () => {
    server.sessions.append(sessionId, notice('a'), notice('b'));
    const seen = await stream();
    await until(() => ids(seen.text).length === 3);
    server.sessions.append(sessionId, notice('c'));
    await until(() => ids(seen.text).length === 4 && seen.text.includes('\n:\n'));
    assert.deepEqual(ids(seen.text), [1, 2, 3, 4]);
    const last = /id: 4\ndata: (.*)\n\n/.exec(seen.text)?.[1] ?? '';
    assert.deepEqual(JSON.parse(last), server.sessions.session(sessionId).events[3]);
  });

  it('resumes after Last-Event-ID, which is stronger than `after`', async () => {
    server.sessions.append(sessionId, notice('a'), notice('b'), notice('c'));
    const seen = await stream('?after=1', { 'last-event-id': '3' });
    await until(() => ids(seen.text).length > 0);
    assert.deepEqual(ids(seen.text), [4]);
  });

  it('gives deltas to who asks for them', async () => {
    server.sessions.write(sessionId, 'm1', 'Hel');
    const asked = await stream('?deltas=1');
    const silent = await stream();
    await until(() => ids(asked.text).length === 1 && ids(silent.text).length === 1);
    server.sessions.write(sessionId, 'm1', 'lo');
    await until(() => asked.text.includes('"offset":3,"text":"lo"'));
    assert.match(asked.text, /event: delta\ndata: .*"offset":0.*"Hel"/);
    assert.ok(!silent.text.includes('delta'));
  });

  it('refuses what is not there before it streams', async () => {
    const missing = await ask(`${server.url}/v1/sessions/ses_${'0'.repeat(26)}/events/stream`);
    assert.equal(missing.status, 404);
    const ahead = await ask(`${server.url}/v1/sessions/${sessionId}/events/stream?after=9`);
    assert.equal(ahead.status, 412);
    assert.equal((await ask(`${server.url}/v1/sessions/${sessionId}/events/stream?after=-1`)).status, 400);
  });

  it('lets the session go when the client leaves', async () => {
    const seen = await stream();
    await until(() => server.sessions.session(sessionId).listeners.size === 1);
    seen.abort();
    await until(() => server.sessions.session(sessionId).listeners.size === 0);
  });

  it('cuts a client that takes nothing', async () => {
    await stream('', {}, false);
    const text = 'x'.repeat(30_000);
    for (let count = 0; count < 1_000; count++) {
      server.sessions.append(sessionId, notice(text));
    }
    await until(() => server.sessions.session(sessionId).listeners.size === 0);
  });
});
