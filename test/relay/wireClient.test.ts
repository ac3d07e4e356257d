import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import type { ConnectionState } from '../../client/link/connectionState.ts';
import type { SandpiperError } from '../../protocol/errors.ts';
import { collectEvents, wireClient } from '../support/wireClient.ts';
import { seededRandom, startCuttingProxy } from '../support/wireProxy.ts';
import { startWireServer } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { notice } from '../support/wireSource.ts';
import { until } from '../support/wireUntil.ts';

function codeIs(code: string): (error: unknown) => boolean {
  return error => error instanceof Error && 'code' in error && error.code === code;
}

describe('wire: the client', () => {
  let server: WireServer;
  let client: RelayClient;

  beforeEach(async () => {
    server = await startWireServer();
    client = wireClient(server.url);
    client.connect();
  });
  afterEach(async () => {
    client.dispose();
    await server.close();
  });

  it('calls with types, makes the key, and passes the error of the relay on', async () => {
    const { sessionId } = await client.call('session.create', { source: '/repo', prompt: 'Do it' });
    assert.match(server.handlers.seen[0]?.key ?? '', /^key_/);
    assert.equal((await client.call('session.get', { sessionId })).id, sessionId);
    assert.equal(client.relay?.relay.instance, 'i1');
    await assert.rejects(client.call('session.get', { sessionId: `ses_${'0'.repeat(26)}` }), codeIs('not_found'));
  });

  it('mirrors a session: replay, events and the text that is being written', async () => {
    const sessionId = server.sessions.create();
    server.sessions.append(sessionId, notice('before'));
    server.sessions.write(sessionId, 'm1', 'Hel');
    const kinds: string[] = [];
    let live = '';
    client.follow(sessionId, (mirror, change) => {
      kinds.push(change.kind);
      live = mirror.live.map(item => item.text).join();
    });
    await until(() => live === 'Hel');
    server.sessions.write(sessionId, 'm1', 'lo');
    await until(() => live === 'Hello');
    server.sessions.append(sessionId, { type: 'textFinished', itemId: 'm1', text: { text: 'Hello' } });
    await until(() => live === '');
    let late: number | undefined;
    const second = client.follow(sessionId, mirror => (late = mirror.state?.items.length));
    assert.equal(late, 2, 'who follows later sees at once what is there');
    second.dispose();
    assert.ok(kinds.includes('events') && kinds.includes('live'));
  });

  it('stops following when the last follower goes', async () => {
    const sessionId = server.sessions.create();
    const following = client.follow(sessionId, () => {});
    await until(() => server.sessions.session(sessionId).listeners.size === 1);
    following.dispose();
    await until(() => server.sessions.session(sessionId).listeners.size === 0);
  });

  it('says when a session cannot be followed', async () => {
    let failure: SandpiperError | undefined;
    client.follow(`ses_${'0'.repeat(26)}`, (_mirror, change) => {
      failure = change.kind === 'failed' ? change.error : failure;
    });
    await until(() => failure !== undefined);
    assert.equal(failure?.code, 'not_found');
  });

  it('subscribes again after session.lagging and gets the rest', async () => {
    const sessionId = server.sessions.create();
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    const read = server.sessions.read.bind(server.sessions);
    server.sessions.read = () => Promise.reject(new Error('the store is away'));
    const other = wireClient(server.url);
    other.connect();
    const late = collectEvents(other, sessionId);
    await until(() => other.state.kind === 'connected');
    await sleep(100);
    server.sessions.read = read;
    server.sessions.append(sessionId, notice('after'));
    await until(() => late.length === 2 && events.length === 2);
    other.dispose();
  });

  it('hears of changed rows', async () => {
    const titles: string[] = [];
    client.onNotification('session.changed', ({ summary }) => titles.push(summary.title));
    await client.call('relay.info', {});
    server.sessions.create();
    await until(() => titles.includes('A session'));
  });

  it('connects again after the relay restarted, sends what was open with the same key, and follows on', async () => {
    const sessionId = server.sessions.create();
    const states: string[] = [];
    const faithful = wireClient(() => server.url, { onState: state => states.push(state.kind) });
    faithful.connect();
    const events = collectEvents(faithful, sessionId);
    await until(() => events.length === 1);

    let arrived: (() => void) | undefined;
    const inFlight = new Promise<void>(resolve => (arrived = resolve));
    server.handlers['session.send'] = params => {
      server.handlers.seen.push({ method: 'session.send', key: params.key, context: CONTEXT });
      arrived?.();
      return new Promise(() => {});
    };
    const sending = faithful.call('session.send', { sessionId, text: 'Hello' });
    const reading = faithful.call('session.get', { sessionId }, { resend: false });
    await reading;
    await inFlight;
    const { key } = server.handlers.seen.at(-1) ?? { key: '' };

    const old = server;
    await old.close();
    server = await startWireServer();
    server.sessions.sessions.set(sessionId, old.sessions.session(sessionId));
    server.sessions.append(sessionId, notice('while away'));
    assert.ok((await sending).messageId);
    assert.equal(server.handlers.seen.at(-1)?.key, key);
    await until(() => events.length === 3);
    assert.deepEqual(
      events.map(event => event.seq),
      [1, 2, 3],
    );
    assert.ok(states.includes('waiting'));
    faithful.dispose();
  });

  it('does not send again when told so', async () => {
    server.handlers.gate = () => new Promise(() => {});
    const inspecting = client.call('repository.inspect', { source: '/r' }, { resend: false });
    const failed = assert.rejects(inspecting, codeIs('disconnected'));
    await client.call('relay.info', {});
    client.disconnect();
    await failed;
  });

  it('gives up a call after its time, also while there is no relay', async () => {
    server.handlers.gate = () => new Promise(() => {});
    await assert.rejects(client.call('repository.inspect', { source: '/r' }, { timeoutMs: 100 }), codeIs('timeout'));
    let error: string | undefined;
    const lonely = wireClient('http://127.0.0.1:1', {
      onState: state => (error = state.kind === 'waiting' ? state.error.code : error),
    });
    try {
      lonely.connect();
      await assert.rejects(lonely.call('relay.info', {}, { timeoutMs: 100 }), codeIs('timeout'));
      await until(() => error === 'unavailable');
    } finally {
      lonely.dispose();
    }
    await assert.rejects(lonely.call('relay.info', {}), codeIs('disconnected'));
  });

  it('stays refused when the token is wrong, and says so to every call', async () => {
    let last: ConnectionState | undefined;
    const stranger = wireClient(server.url, {
      connect: () => createWsSocket(server.url, 'wrong-token-0123456789'),
      onState: state => (last = state),
    });
    stranger.connect();
    await assert.rejects(stranger.call('relay.info', {}), codeIs('unauthorized'));
    assert.equal(last?.kind, 'refused');
    stranger.dispose();
  });

  it('loses and repeats nothing over a connection that is cut at random bytes', async function () {
    this.timeout(60_000);
    const random = seededRandom(20_261_121);
    // The relay must know the proxy's address, which is known only once the proxy listens: so the proxy comes first.
    let targetPort = 0;
    const proxy = await startCuttingProxy(
      () => targetPort,
      () => 200 + Math.floor(random() ** 4 * 120_000),
    );
    // Never a snapshot: it would stand for events that are then not seen one by one.
    const relay = await startWireServer({ hosts: [new URL(proxy.url).host], ws: { maxReplayEvents: 1_000_000 } });
    targetPort = relay.port;
    const chaotic = wireClient(proxy.url, { backoff: { firstMs: 1, maxMs: 5 } });
    try {
      const sessionId = relay.sessions.create();
      const events = collectEvents(chaotic, sessionId);
      chaotic.connect();
      const sends: Promise<unknown>[] = [];
      for (let count = 0; count < 2_000; count++) {
        relay.sessions.append(sessionId, notice(`${count}`.padEnd(Math.floor(random() * 300), '.')));
        if (count % 20 === 0) {
          sends.push(chaotic.call('session.send', { sessionId, text: `message ${count}` }, { timeoutMs: 40_000 }));
          relay.sessions.write(sessionId, `item${count}`, 'x');
        }
        if (count % 4 === 0) {
          await sleep(2);
        }
      }
      await Promise.all(sends);
      const stored = relay.sessions.session(sessionId).events;
      assert.equal(stored.filter(event => event.body.type === 'messageQueued').length, sends.length);
      await until(() => (events.at(-1)?.seq ?? 0) === stored.length, 40_000);
      assert.deepEqual(events, stored);
      assert.ok(proxy.cuts >= 10, `only ${proxy.cuts} cuts`);
    } finally {
      chaotic.dispose();
      await proxy.close();
      await relay.close();
    }
  });
});

const CONTEXT = { client: { name: 'test', version: '1' }, connection: 'x', principal: 'owner' } as const;
