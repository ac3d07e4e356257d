import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import type { SessionState } from '../../protocol/session.ts';
import { summarize } from '../../protocol/summarize.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventsIn, readRecordedWire, RECORDED_FOLDER, typeOf, type RecordedFrame } from '../support/recordedWire.ts';
import { MAIN } from '../support/relayProcess.ts';
import { RecordedRelay, replayClient } from '../support/wireReplay.ts';
import { missingFrom, type Names } from '../support/wireShape.ts';
import { WireSocket } from '../support/wireSocket.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const PRETEND = new URL('../support/pretendVersion.ts', import.meta.url).href;
const NEXT = String(PROTOCOL_VERSION + 1);
const SCRIPT = [{ tool: 'Bash', input: { command: 'echo 1 > one.txt' } }, { text: 'Done.' }];

describe('protocol versions that are one apart', function () {
  this.timeout(60_000);
  let shop: Workshop;

  afterEach(() => shop.dispose());

  async function socketOf(): Promise<{ url: string; token: string }> {
    return (await findRelay(shop.dataFolder)) ?? assert.fail('there is no relay');
  }

  it('work together when the relay is the newer one', async () => {
    shop = await openWorkshop({ TEST_PROTOCOL: NEXT }, ['--import', PRETEND, MAIN]);
    const id = await shop.begin(SCRIPT);
    await shop.until(id, 'the turn', state => state.turns[0]?.checkpoint !== undefined);
    assert.equal(shop.client.relay?.protocolVersion, PROTOCOL_VERSION);
  });

  it('work together when the client is the newer one', async () => {
    shop = await openWorkshop();
    const cli = new Cli(shop.dataFolder);
    const prompt = `Please do this: @@${JSON.stringify(SCRIPT)}`;
    const { code, stdout, stderr } = await cli.run(
      ['run', prompt, '--repo', shop.repository, '--permissions', 'autopilot'],
      {
        wrap: ([node = '', ...args]) => [node, '--import', PRETEND, ...args],
        env: { TEST_PROTOCOL: NEXT },
      },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Done\./);
  });

  it('a client takes no notice of fields and notifications that it does not know', async () => {
    shop = await openWorkshop();
    const { url, token } = await socketOf();
    let changed = 0;
    const client = createRelayClient({
      client: { name: 'test', version: '0' },
      connect: () =>
        withIncoming(createWsSocket(url, token), frame => {
          changed++;
          const notification = { jsonrpc: '2.0', method: 'session.danced', params: { sessionId: 'x' } };
          return [JSON.stringify(notification), JSON.stringify(withUnknown(JSON.parse(frame)))];
        }),
    });
    try {
      client.connect();
      const { sessionId } = await client.call('session.create', {
        source: shop.repository,
        prompt: `Please do this: @@${JSON.stringify(SCRIPT)}`,
        permissionMode: 'autopilot',
      });
      const seen = new Promise(resolve => {
        client.follow(sessionId, ({ state }) => state?.turns[0]?.checkpoint && resolve(undefined));
      });
      await seen;
      assert.ok(changed > 5);
      const { files } = await client.call('changes.list', { sessionId });
      assert.deepEqual(
        files.map(({ path }) => path),
        ['one.txt'],
      );
    } finally {
      client.dispose();
    }
  });

  it('the relay serves what a client of protocol 1 said, and that client finds all it looks for', async () => {
    shop = await openWorkshop();
    const { url, token } = await socketOf();
    const socket = await WireSocket.open(url, { headers: { authorization: `Bearer ${token}` }, initialize: false });
    try {
      const names: Names = new Map([[join(RECORDED_FOLDER, 'sample'), shop.repository]]);
      assert.deepEqual(await replayClient(socket, await readRecordedWire(), names), []);
    } finally {
      socket.close();
    }
  });

  it('a relay that only speaks a newer protocol says so to the person, and what to update', async () => {
    shop = await openWorkshop({ TEST_PROTOCOL: '9', TEST_OLDEST_PROTOCOL: '8' }, ['--import', PRETEND, MAIN]);
    const { code, stderr } = await new Cli(shop.dataFolder).run(['sessions']);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^The relay \([\d.]+\) speaks protocol 8 to 9, .+ speaks 1\.\n?.*Update .+\.\n$/);
  });

  it('a client that only speaks a newer protocol is told so by the relay, and what to update', async () => {
    shop = await openWorkshop();
    const { code, stderr } = await new Cli(shop.dataFolder).run(['sessions'], {
      wrap: ([node = '', ...args]) => [node, '--import', PRETEND, ...args],
      env: { TEST_PROTOCOL: '9', TEST_OLDEST_PROTOCOL: '8' },
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^The relay \([\d.]+\) speaks protocol 1, .+ speaks 8 to 9\.\n?.*Update the relay\.\n$/);
  });
});

describe('a client beside a relay of protocol 1, recorded', () => {
  let client: RelayClient;
  afterEach(() => client.dispose());

  async function played(
    recording: readonly RecordedFrame[],
    checkMessages = true,
  ): Promise<{ state: SessionState; types: string[] }> {
    const relay = new RecordedRelay(recording);
    client = createRelayClient({
      client: { name: 'test', version: '0' },
      connect: () => relay.connect(),
      checkMessages,
    });
    let state: SessionState | undefined;
    const types: string[] = [];
    await relay.play(client, (mirror, change) => {
      assert.ok(change.kind !== 'failed' || change.error.code === 'not_found', JSON.stringify(change));
      state = mirror.state;
      types.push(...(change.kind === 'events' ? change.events.map(({ body }) => body.type) : []));
    });
    return { state: state ?? assert.fail('nothing was followed'), types };
  }

  it('makes its calls, and has the same session as that relay', async () => {
    const recording = await readRecordedWire();
    const { state, types } = await played(recording);
    assert.deepEqual(
      types,
      recording.flatMap(({ frame }) => eventsIn(frame).map(({ event }) => typeOf(event))),
    );
    const states = recording.flatMap(({ frame }) => (isState(frame['result']) ? [frame['result']] : []));
    assert.deepEqual(missingFrom(states.at(-1), state, new Map()), []);
    assert.equal(state.turns.length, 4);
    assert.equal(summarize(state).activity, 'Archived');
  });

  it('carries events that it does not know, and everything else is as without them', async () => {
    const recording = await readRecordedWire();
    const plain = await played(recording);
    client.dispose();
    const { state, types } = await played(recording.map(withUnknownEvents), false);
    assert.equal(types.filter(type => String(type) === 'sessionDanced').length, plain.types.length);
    assert.deepEqual(
      types.filter(type => String(type) !== 'sessionDanced'),
      plain.types,
    );
    assert.equal(state.seq, plain.state.seq * 2);
    assert.deepEqual(
      [missingFrom(plain.state, state, new Map()), missingFrom(state, plain.state, new Map())],
      [[], []],
    );
  });
});

/** After every event one of a type that nobody knows; both have a seq of their own. */
function withUnknownEvents({ from, frame }: RecordedFrame): RecordedFrame {
  const events = eventsIn(frame).flatMap(({ event }) => {
    const seq = Number(event['seq']) * 2;
    // These fields of a body name another event.
    const body = JSON.stringify(event['body']).replace(
      /"(restore|undoes)":(\d+)/g,
      (_, field: string, other: string) => `"${field}":${Number(other) * 2 - 1}`,
    );
    return [
      { ...event, seq: seq - 1, body: JSON.parse(body) as unknown },
      { seq, at: event['at'], body: { type: 'sessionDanced', steps: [{ left: 1 }] } },
    ];
  });
  return events.length === 0 || !isRecord(frame['params'])
    ? { from, frame }
    : { from, frame: { ...frame, params: { ...frame['params'], events } } };
}

function isState(value: unknown): boolean {
  return isRecord(value) && isRecord(value['phase']) && Array.isArray(value['items']);
}

/** The same with a field more in every object below the frame itself. */
function withUnknown(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) {
    return value.map(each => withUnknown(each, depth + 1));
  }
  if (!isRecord(value)) {
    return value;
  }
  const fields = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withUnknown(each, depth + 1)]));
  return depth === 0 ? fields : { ...fields, somethingNewer: { deep: [1] } };
}

/** A socket on which other frames arrive than those that were sent. */
function withIncoming(inner: RelaySocket, change: (frame: string) => string[]): RelaySocket {
  const outer: RelaySocket = {
    onOpen: () => {},
    onMessage: () => {},
    onError: () => {},
    onClose: () => {},
    send: frame => inner.send(frame),
    close: () => inner.close(),
  };
  inner.onOpen = () => outer.onOpen();
  inner.onMessage = frame => change(frame).forEach(each => outer.onMessage(each));
  inner.onError = error => outer.onError(error);
  inner.onClose = (code, reason) => outer.onClose(code, reason);
  return outer;
}
