import { strict as assert } from 'node:assert';
import { FaultyProxy } from '../../chaos/faultyProxy.ts';
import type { ConnectionState } from '../../client/link/connectionState.ts';
import { STEP_LIMIT_MS } from '../../client/link/connectionState.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { WATCH_TIMES } from '../../client/link/silenceWatch.ts';
import type { RelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { startHalfOpenProxy } from '../support/halfOpenProxy.ts';
import type { HalfOpenProxy } from '../support/halfOpenProxy.ts';
import { collectEvents, wireClient } from '../support/wireClient.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { notice } from '../support/wireSource.ts';
import { until } from '../support/wireUntil.ts';

const HOUR_MS = 3_600_000;
/** The real watch, ten times as fast or more. */
const FAST = { ...WATCH_TIMES, tickMs: 20, silenceMs: 300, awaitedMs: 150, answerMs: 300, wakeAnswerMs: 200 };
/** Nothing is noticed by waiting: what is noticed in this test has another reason. */
const PATIENT = { ...FAST, silenceMs: HOUR_MS, awaitedMs: HOUR_MS };

describe('wire: a socket that is dead without saying so', function () {
  this.timeout(60_000);
  let server: WireServer;
  let proxy: HalfOpenProxy;
  let client: RelayClient;
  let wallOffsetMs: number;
  let states: ConnectionState[];
  const clock = {
    now: () => ({ steadyMs: performance.now(), wallMs: Date.now() + wallOffsetMs }),
  };
  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    wallOffsetMs = 0;
    states = [];
    proxy = await startHalfOpenProxy(() => server);
    server = await startWireServer({ hosts: [new URL(proxy.url).host] });
  });
  afterEach(async () => {
    client?.dispose();
    for (const cleanup of cleanups.splice(0)) {
      await cleanup();
    }
    await proxy.close();
    await server.close();
  });

  async function connected(watch: typeof WATCH_TIMES): Promise<string> {
    client = wireClient(proxy.url, { watch, clock, onState: state => states.push(state) });
    client.connect();
    await client.call('relay.info', {});
    return server.sessions.create();
  }

  /** A line that can be made slow, to a session that is 60 kB large. */
  async function slowLine(): Promise<{ slow: FaultyProxy; sessionId: string }> {
    const slow = new FaultyProxy(() => distant.url);
    await slow.listen();
    cleanups.push(() => slow.close());
    const distant = await startWireServer({ hosts: [new URL(slow.url).host] });
    cleanups.push(() => distant.close());
    const sessionId = distant.sessions.create();
    distant.sessions.append(sessionId, notice('x'.repeat(60_000)));
    return { slow, sessionId };
  }

  function losses(): string[] {
    return states.flatMap(state => (state.kind === 'waiting' ? [state.error.message] : []));
  }

  it('is noticed by its silence, and what happened meanwhile comes once', async () => {
    const sessionId = await connected(FAST);
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    proxy.vanish();
    server.sessions.append(sessionId, notice('unheard'));
    await until(() => events.length === 2);
    assert.equal(proxy.taken, 2);
    assert.match(losses().join(), /^The relay has not answered for \d+ s\.$/);
  });

  it('is noticed while a message is on its way, which is sent again and taken once', async () => {
    const sessionId = await connected({ ...FAST, silenceMs: HOUR_MS });
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    proxy.vanish();
    const { seq } = await client.call('session.send', { sessionId, text: 'Hello' });
    await until(() => events.length === 2);
    assert.equal(seq, 2);
    assert.equal(server.handlers.seen.filter(({ method }) => method === 'session.send').length, 1);
  });

  it('is noticed at once after an hour of sleep', async () => {
    const sessionId = await connected(PATIENT);
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    proxy.vanish();
    server.sessions.append(sessionId, notice('while asleep'));
    wallOffsetMs += HOUR_MS;
    await until(() => events.length === 2);
    assert.equal(losses().length, 1);
  });

  it('is kept after an hour of sleep when it still lives', async () => {
    const sessionId = await connected(PATIENT);
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    wallOffsetMs += HOUR_MS;
    // Long enough for a dead one to be given up, by the client's own clock.
    const askedAtMs = performance.now();
    await until(() => performance.now() - askedAtMs > 3 * FAST.wakeAnswerMs);
    server.sessions.append(sessionId, notice('after'));
    await until(() => events.length === 2);
    assert.deepEqual([losses(), proxy.taken], [[], 1]);
  });

  it('is found out when the network or the page comes back, without waiting', async () => {
    const sessionId = await connected(PATIENT);
    const events = collectEvents(client, sessionId);
    await until(() => events.length === 1);
    proxy.vanish();
    server.sessions.append(sessionId, notice('while away'));
    client.nudge();
    await until(() => events.length === 2);
  });

  it('does not count while a large answer comes slowly', async () => {
    const { slow, sessionId } = await slowLine();
    client = wireClient(slow.url, { watch: FAST, clock, onState: state => states.push(state) });
    client.connect();
    await client.call('relay.info', {});
    slow.weather.bytesPerSecond = 40_000;
    const state = await client.call('session.get', { sessionId });
    assert.equal(state.seq, 2);
    assert.deepEqual(losses(), []);
  });

  it('gets a large answer through a slow line in the end, where only whole frames can be seen', async () => {
    const { slow, sessionId } = await slowLine();
    client = wireClient(slow.url, {
      connect: () => likeBrowser(createWsSocket(slow.url, WIRE_TOKEN)),
      watch: FAST,
      clock,
      onState: state => states.push(state),
    });
    client.connect();
    await client.call('relay.info', {});
    slow.weather.bytesPerSecond = 40_000;
    const state = await client.call('session.get', { sessionId });
    assert.equal(state.seq, 2);
    assert.ok(losses().length >= 1, 'the line was too slow for the first patience');
  });

  it('is given up when it is taken and then never spoken on', async () => {
    let nowMs = 0;
    let made = 0;
    const mute = (): RelaySocket => {
      made++;
      return {
        send: () => {},
        close: () => {},
        onOpen: () => {},
        onMessage: () => {},
        onError: () => {},
        onClose: () => {},
      };
    };
    client = wireClient('', {
      connect: mute,
      watch: FAST,
      clock: { now: () => ({ steadyMs: nowMs, wallMs: nowMs }) },
      onState: state => states.push(state),
    });
    client.connect();
    await until(() => client.state.kind === 'connecting' && client.state.step === 'greeting');
    nowMs += STEP_LIMIT_MS.greeting;
    await until(() => client.state.kind === 'waiting');
    assert.deepEqual(losses(), ['The relay does not answer.']);
    client.connect();
    await until(() => made === 2);
  });
});

/** The same socket as a browser shows it. */
function likeBrowser(inner: RelaySocket): RelaySocket {
  delete inner.bytesReceived;
  return inner;
}
