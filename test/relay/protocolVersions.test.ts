import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient } from '../../client/relayClient.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { isRecord } from '../../protocol/rpc.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { MAIN } from '../support/relayProcess.ts';
import { WireSocket } from '../support/wireSocket.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const PRETEND = new URL('../support/pretendVersion.ts', import.meta.url).href;
const RECORDED = join(import.meta.dirname, '../fixtures/wire/protocol-1.jsonl');
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

  it('the relay serves the calls that a client of protocol 1 made, with parameters that it does not know', async () => {
    shop = await openWorkshop();
    const { url, token } = await socketOf();
    const socket = await WireSocket.open(url, { headers: { authorization: `Bearer ${token}` }, initialize: false });
    const known: Record<string, unknown> = { '<repository>': shop.repository };
    let handled = 0;
    try {
      for (const line of (await readFile(RECORDED, 'utf8')).trim().split('\n')) {
        const step: unknown = JSON.parse(line, (_, value: unknown) =>
          typeof value === 'string' && Object.hasOwn(known, value) ? known[value] : value,
        );
        assert.ok(isRecord(step));
        if (isRecord(step['until'])) {
          const { type } = step['until'];
          const bodies = (): unknown[] => socket.frames.slice(handled).flatMap(eventsIn);
          await eventually(() => assert.ok(bodies().some(body => isRecord(body) && body['type'] === type)), 30_000);
          handled = socket.frames.length;
          continue;
        }
        const params = isRecord(step['params']) ? step['params'] : {};
        const reply = await socket.call(String(step['call']), { ...params, somethingNewer: { deep: [1] } });
        const result = reply['result'];
        assert.ok(isRecord(result), `${String(step['call'])}: ${JSON.stringify(reply['error'])}`);
        assert.ok(Array.isArray(step['answers']));
        for (const field of step['answers']) {
          assert.ok(Object.hasOwn(result, String(field)), `${String(step['call'])} answers ${String(field)}`);
        }
        known['<session>'] ??= result['sessionId'];
        known['<toCommit>'] ??= result['toCommit'];
      }
    } finally {
      socket.socket.close();
    }
  });
});

function eventsIn(frame: Record<string, unknown>): unknown[] {
  const { params } = frame;
  return isRecord(params) && Array.isArray(params['events'])
    ? params['events'].map(event => (isRecord(event) ? event['body'] : undefined))
    : [];
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
