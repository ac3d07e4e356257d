import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRelay, startRelay } from '../../client/localRelay.ts';
import { readRelayAddress, relayAddressFile, writeRelayAddress } from '../../client/relayAddress.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import { until } from '../support/wireUntil.ts';

const DEAD_PID = 2 ** 22 + 1;
const STAND_IN = join(import.meta.dirname, '../support/wireStandIn.ts');

function codeIs(code: string, message = /./): (error: unknown) => boolean {
  return error => error instanceof Error && 'code' in error && error.code === code && message.test(error.message);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('wire: the relay on this machine', () => {
  let dataFolder: string;

  beforeEach(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'sandpiper-local-'));
  });
  afterEach(async () => {
    const started = await readFile(join(dataFolder, 'started'), 'utf8').catch(() => '');
    const pids = started
      .split('\n')
      .map(Number)
      .filter(pid => pid > 0 && isAlive(pid));
    pids.forEach(pid => process.kill(pid, 'SIGTERM'));
    await until(() => !pids.some(isAlive));
    await rm(dataFolder, { recursive: true, force: true });
  });

  const start = (how: string, timeoutMs = 15_000): ReturnType<typeof startRelay> =>
    startRelay({
      dataFolder,
      command: [process.execPath, '--disable-warning=ExperimentalWarning', STAND_IN, dataFolder, how],
      env: process.env,
      timeoutMs,
    });

  describe('findRelay', () => {
    it('finds none where there is no address', async () => {
      assert.equal(await findRelay(dataFolder), undefined);
      assert.equal(await findRelay(join(dataFolder, 'nowhere')), undefined);
    });

    it('finds the one that answers, and asks it for its version', async () => {
      const server = await startWireServer();
      const address = { url: server.url, token: WIRE_TOKEN, version: 'old', pid: process.pid };
      await writeRelayAddress(dataFolder, address);
      assert.equal((await stat(relayAddressFile(dataFolder))).mode & 0o777, 0o600);
      assert.deepEqual(await findRelay(dataFolder), { ...address, version: '0.1.0' });
      await writeRelayAddress(dataFolder, { ...address, token: 'another-token-0123456789' });
      assert.equal(await findRelay(dataFolder), undefined, 'it does not take our token');
      await writeRelayAddress(dataFolder, { ...address, pid: DEAD_PID });
      assert.equal(await findRelay(dataFolder), undefined, 'its process is gone');
      await server.close();
      await writeRelayAddress(dataFolder, address);
      assert.equal(await findRelay(dataFolder), undefined, 'nothing answers');
    });

    it('does not give the token to whoever took over the port', async () => {
      const seen: (string | undefined)[] = [];
      const stranger = createServer((request, response) => {
        seen.push(request.headers.authorization);
        response.end('{}');
      });
      stranger.listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const address = stranger.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      await writeRelayAddress(dataFolder, {
        url: `http://127.0.0.1:${port}`,
        token: WIRE_TOKEN,
        version: '1',
        pid: process.pid,
      });
      assert.equal(await findRelay(dataFolder), undefined);
      assert.deepEqual(seen, [undefined]);
      stranger.closeAllConnections();
      stranger.close();
    });

    it('refuses an address that others may read', async () => {
      await writeRelayAddress(dataFolder, { url: 'http://127.0.0.1:1', token: WIRE_TOKEN, version: '1', pid: 1 });
      await chmod(relayAddressFile(dataFolder), 0o640);
      await assert.rejects(findRelay(dataFolder), codeIs('forbidden', /can be read by others/));
    });

    it('refuses what is no address', async () => {
      const right = { url: 'http://127.0.0.1:1', token: WIRE_TOKEN, version: '1', pid: 1 };
      const wrong = [
        '',
        '{',
        'null',
        '[]',
        { ...right, url: 'file:///etc' },
        { ...right, url: 'http://x/path' },
        { ...right, token: 'a b' },
        { ...right, pid: 0 },
        { ...right, pid: '1' },
      ];
      for (const value of wrong) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        await writeFile(relayAddressFile(dataFolder), text, { mode: 0o600 });
        await assert.rejects(
          readRelayAddress(dataFolder),
          codeIs('invalid_request', /is not the address of a relay/),
          text,
        );
      }
    });
  });

  describe('startRelay', function () {
    this.timeout(40_000);

    it('starts one that outlives the caller, and finds it the next time', async () => {
      const relay = await start('serve');
      assert.ok(isAlive(relay.pid));
      assert.equal((await start('serve')).pid, relay.pid);
      const log = await stat(join(dataFolder, 'relay.log'));
      assert.equal(log.mode & 0o777, 0o600);
    });

    it('gives all who start at once the one that won', async () => {
      const relays = await Promise.all([start('serve'), start('serve'), start('serve')]);
      assert.equal(new Set(relays.map(relay => relay.pid)).size, 1);
      const started = (await readFile(join(dataFolder, 'started'), 'utf8')).trim().split('\n');
      await until(() => started.filter(pid => isAlive(Number(pid))).length === 1);
    });

    it('takes no notice of what a dead relay left behind', async () => {
      await writeRelayAddress(dataFolder, {
        url: 'http://127.0.0.1:1',
        token: WIRE_TOKEN,
        version: '1',
        pid: DEAD_PID,
      });
      assert.notEqual((await start('serve')).pid, DEAD_PID);
    });

    it('says why it did not start, with the end of its log', async () => {
      await assert.rejects(start('fail'), codeIs('unavailable', /exit code 3[^]*fails as it was told/));
      await assert.rejects(
        startRelay({ dataFolder, command: [join(dataFolder, 'missing')], env: {}, timeoutMs: 5_000 }),
        codeIs('unavailable', /cannot be started/),
      );
    });

    it('gives up one that does not answer in time, and leaves no process', async () => {
      await assert.rejects(start('hang', 6_000), codeIs('timeout', /6 s/));
      const pid = Number((await readFile(join(dataFolder, 'started'), 'utf8')).trim());
      await until(() => !isAlive(pid));
    });
  });
});
