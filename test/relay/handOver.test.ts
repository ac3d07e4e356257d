import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { askToHandOver, findRelay, startRelay } from '../../client/localRelay.ts';
import { writeRelayAddress } from '../../client/relayAddress.ts';
import type { SessionState } from '../../protocol/session.ts';
import { takeAgentCensus } from '../support/agentCensus.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { MAIN, temporaryFolder } from '../support/relayProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const PRETEND = new URL('../support/pretendVersion.ts', import.meta.url).href;
const OLDER = ['--import', PRETEND, MAIN];

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a relay that is updated', function () {
  this.timeout(120_000);
  let shop: Workshop;

  afterEach(() => shop.dispose());

  it('hands a running turn over to the newer one; its agent and its clients notice nothing', async () => {
    shop = await openWorkshop({ TEST_VERSION: '0.0.9' }, OLDER);
    assert.equal((await findRelay(shop.dataFolder))?.version, '0.0.9');
    const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo begun > begun.txt; sleep 2' } },
      { text: words, deltas: 100, delayMs: 10 },
    ]);
    const { sandboxId } = await shop
      .until(id, 'the turn runs', state => state.phase.kind === 'working')
      .then(() =>
        shop.events(id).then(events => {
          const ready = events.find(({ body }) => body.type === 'sandboxReady')?.body;
          return ready?.type === 'sandboxReady' ? ready : assert.fail('no sandbox');
        }),
      );
    const census = takeAgentCensus(() => [sandboxId]);
    try {
      const newer = shop.another();
      const old = shop.relay.ended();
      // Asked while it hands over, a client's message arrives once.
      const sending = eventually(() => assert.match(shop.relay.log, /Handing over/), 20_000).then(() =>
        shop.client.call('session.send', { sessionId: id, text: 'Please do this: @@[{"text":"Second."}]' }),
      );
      await newer.start();
      assert.equal(await old, 0, shop.relay.log);
      await sending;
      assert.equal((await findRelay(shop.dataFolder))?.version, '0.1.0');
      const state = await shop.until(id, 'both turns', idle(2), 40_000);
      assert.deepEqual(
        state.turns.map(turn => turn.agent?.outcome),
        ['completed', 'completed'],
      );
      assert.equal(state.agent.segment, 1, 'the same agent');
      assert.ok(state.items.some(item => item.kind === 'text' && item.text.text === words));
      const events = await shop.events(id);
      assert.equal(events.filter(({ body }) => body.type === 'messageQueued').length, 2);
      assert.equal(census.seen.size, 1);
      assert.deepEqual(census.overlaps, []);
    } finally {
      census.stop();
    }
  });

  it('gives way to one of its own version only when a person says so, and never to an older one', async () => {
    shop = await openWorkshop();
    const { pid } = shop.relay;
    const cli = new Cli(shop.dataFolder);
    const same = await cli.run(['serve']);
    assert.match(same.stdout, new RegExp(`"pid":${pid},.*"alreadyRunning":true`));

    const older = await cli.run(['serve', '--replace'], {
      wrap: ([node = '', , ...args]) => [node, ...OLDER, ...args],
      env: { TEST_VERSION: '0.0.9' },
    });
    assert.equal(older.code, 4);
    assert.match(older.stderr, /This relay is version 0\.1\.0; it does not give way to the older 0\.0\.9/);
    const command = await cli.run(['sessions'], {
      wrap: ([node = '', , ...args]) => [node, ...OLDER, ...args],
      env: { TEST_VERSION: '0.0.9' },
    });
    assert.equal(command.code, 0, command.stderr);
    assert.match(command.stderr, /The relay is version 0\.1\.0, this command is 0\.0\.9/);
    assert.equal((await findRelay(shop.dataFolder))?.pid, pid);

    const gone = shop.relay.ended();
    const second = cli.start(['serve', '--replace']);
    try {
      assert.equal(await gone, 0);
      await eventually(async () => assert.equal((await findRelay(shop.dataFolder))?.pid, second.pid), 20_000);
    } finally {
      second.kill();
      await second.result;
    }
  });

  it('starts the newer one for a client that asks for it', async () => {
    shop = await openWorkshop({ TEST_VERSION: '0.0.9' }, OLDER);
    const old = shop.relay.ended();
    const cli = new Cli(shop.dataFolder);
    try {
      const result = await cli.run(['sessions']);
      assert.deepEqual([result.code, result.stderr], [0, '']);
      assert.equal(await old, 0);
      assert.equal((await findRelay(shop.dataFolder))?.version, '0.1.0');
    } finally {
      await cli.dispose();
    }
  });
});

describe('an address that a dead relay left', () => {
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  const asked: string[] = [];
  /** Answers as a relay does: one of another data folder, on a port that was this one's, with another process number. */
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/livez' ? { service: 'sandpiper' } : { version: '0.0.1', pid: 1 }));
  });

  before(async () => {
    scratch = await temporaryFolder();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
  });
  after(async () => {
    other.closeAllConnections();
    other.close();
    await scratch.remove();
  });

  it('leads to no relay, though its process number is in use and its port answers; and to no request to end', async () => {
    const where = other.address();
    const port = where !== null && typeof where === 'object' ? where.port : 0;
    const address = { url: `http://127.0.0.1:${port}`, token: 'a'.repeat(43), version: '0.0.1', pid: process.pid };
    await writeRelayAddress(scratch.path, address);
    assert.equal(await findRelay(scratch.path), undefined);
    const fail = join(scratch.path, 'fail.mjs');
    await writeFile(fail, 'process.exit(3)');
    await assert.rejects(
      startRelay({
        dataFolder: scratch.path,
        command: [process.execPath, fail],
        env: {},
        timeoutMs: 5000,
        version: '9.0.0',
      }),
      /exit code 3/,
    );
    assert.ok(!asked.some(line => line.startsWith('POST')), asked.join('\n'));
    assert.match(await readFile(join(scratch.path, 'relay.json'), 'utf8'), /0\.0\.1/);
  });

  it('is said when a relay does not answer what it is asked', async () => {
    const where = other.address();
    const port = where !== null && typeof where === 'object' ? where.port : 0;
    other.removeAllListeners('request');
    other.on('request', (_request, response) => response.writeHead(404).end('{}'));
    const address = { url: `http://127.0.0.1:${port}`, token: 'a'.repeat(43), version: '0.0.1', pid: process.pid };
    await assert.rejects(askToHandOver(address, '1.0.0'), /version 0\.0\.1\) cannot hand over/);
  });
});
