import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { WebSocketServer } from 'ws';
import { isRecord } from '../../protocol/isRecord.ts';
import { migrations } from '../../server/src/store/sqlite/migrations.ts';
import { connectSqlite3 } from '../../server/src/store/sqlite/sqlite3Connection.ts';
import { Cli, type CliResult } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { ROOT, temporaryFolder } from '../support/relayProcess.ts';

describe('a start of the relay', function () {
  this.timeout(60_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let cli: Cli;

  beforeEach(async () => {
    scratch = await temporaryFolder();
    cli = new Cli(join(scratch.path, 'data'));
  });
  afterEach(async () => {
    await cli.dispose();
    await scratch.remove();
  });

  /** One clear sentence and what to do, on stderr, with the code for "no relay". */
  async function refuses(words: RegExp, env: Record<string, string> = {}, args: string[] = []): Promise<CliResult> {
    const result = await cli.run(['serve', ...args], { env });
    assert.equal(result.code, 4, result.stderr);
    assert.equal(result.stdout, '');
    const lines = result.stderr.trimEnd().split('\n');
    assert.match(lines.at(-1) ?? '', words);
    assert.equal(lines.filter(line => !line.startsWith('{')).length, 1, result.stderr);
    return result;
  }

  async function serve(): Promise<Record<string, unknown>> {
    const child = cli.start(['serve']);
    let shown = '';
    child.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await eventually(() => assert.match(shown, /\n/), 20_000);
    return address(shown);
  }

  it('finds the first one, prints its address and ends with 0; also as `npm start`', async () => {
    const first = await serve();
    const second = await cli.run(['serve']);
    assert.equal(second.code, 0);
    assert.deepEqual(address(second.stdout), { ...first, version: '0.1.0', alreadyRunning: true });
    const third = await cli.run([], { cwd: ROOT, wrap: () => ['npm', 'start', '--silent'] });
    assert.equal(third.code, 0, third.stderr);
    assert.equal(address(third.stdout)['url'], first['url']);
    assert.equal(await cli.relayPid(), first['pid']);
  });

  it('wins or finds the winner when several start at once: exactly one relay', async () => {
    const started = [1, 2, 3].map(() => cli.start(['serve']));
    const addresses = await Promise.all(
      started.map(async child => {
        let shown = '';
        child.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()));
        await eventually(() => assert.match(shown, /\n/), 20_000);
        return address(shown);
      }),
    );
    assert.equal(new Set(addresses.map(({ url }) => url)).size, 1);
    assert.equal(addresses.filter(({ alreadyRunning }) => alreadyRunning === true).length, 2);
  });

  it('starts one relay for several commands at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => cli.run(['sessions'])));
    assert.deepEqual(
      results.map(({ code, stderr }) => [code, stderr]),
      results.map(() => [0, '']),
    );
  });

  it('takes the address of a dead relay for none', async () => {
    await serve();
    const pid = (await cli.relayPid()) ?? 0;
    process.kill(pid, 'SIGKILL');
    await eventually(async () => assert.equal(await cli.relayPid(), pid));
    const { code, stderr } = await cli.run(['sessions']);
    assert.equal(code, 0, stderr);
    assert.notEqual(await cli.relayPid(), pid);
  });

  it('names a port that is taken', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1');
    await eventually(() => assert.ok(other.listening));
    const port = String(portOf(other.address()));
    try {
      await refuses(new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken.*SANDPIPER_PORT`), { SANDPIPER_PORT: port });
      await refuses(new RegExp(`^Port ${port} .* is taken`), {}, ['--port', port]);
    } finally {
      other.close();
    }
    assert.equal((await cli.run(['sessions'])).code, 0);
  });

  it('names a token file that it cannot read, that others can, or that holds no token, and leaves it as it is', async () => {
    const token = join(cli.dataFolder, 'token');
    await mkdir(token, { recursive: true });
    await refuses(/^The token file .*token cannot be read: .*remove it/);
    await cli.dispose();

    cli = new Cli(join(scratch.path, 'second'));
    const file = join(cli.dataFolder, 'token');
    await mkdir(cli.dataFolder);
    await writeFile(file, `${'a'.repeat(43)}\n`, { mode: 0o640 });
    await refuses(/^The token file .*token may be read by other users\. Run: chmod 600 /);
    await chmod(file, 0o600);
    await writeFile(file, 'short\n');
    await refuses(/^The token file .*token does not hold a token\. Remove it/);
    assert.equal(await readFile(file, 'utf8'), 'short\n');
    await writeFile(file, `${'a'.repeat(43)}\n`);
    assert.equal((await cli.run(['sessions'])).code, 0);
  });

  it('does not trust an address that others could have written, or that is none', async () => {
    await serve();
    const file = join(cli.dataFolder, 'relay.json');
    await chmod(file, 0o644);
    const open = await cli.run(['sessions']);
    assert.equal(open.code, 4);
    assert.match(open.stderr, /relay\.json can be read by others.*chmod 600/);
    await chmod(file, 0o600);
    const text = await readFile(file, 'utf8');
    await writeFile(file, '{"url":');
    const broken = await cli.run(['sessions']);
    assert.equal(broken.code, 4);
    assert.match(broken.stderr, /relay\.json is not the address of a relay.*delete this file/);
    await writeFile(file, text);
    assert.equal((await cli.run(['sessions'])).code, 0);
  });

  it('leaves the database of a newer version as it is, and says to update', async () => {
    await serve();
    await cli.dispose();
    const file = join(cli.dataFolder, 'relay.db');
    const database = await connectSqlite3(file, { readOnly: false });
    await database.execute("insert into kysely_migration (name, timestamp) values ('9999_later', '2099')", []);
    await database.close();
    const before = await readFile(file);
    await refuses(/^A newer version of Sandpiper has written .*relay\.db\. Update Sandpiper/);
    assert.deepEqual(await readFile(file), before);
    assert.equal(Object.hasOwn(migrations, '9999_later'), false);
  });

  it('names a data folder that cannot be used', async () => {
    await writeFile(join(scratch.path, 'file'), 'mine');
    await refuses(/^The data folder .*file\/data cannot be used: .*SANDPIPER_DATA/, {
      SANDPIPER_DATA: join(scratch.path, 'file/data'),
    });
    await refuses(/^The data folder \/dev\/null cannot be used: .*SANDPIPER_DATA/, { SANDPIPER_DATA: '/dev/null' });
    assert.equal(await readFile(join(scratch.path, 'file'), 'utf8'), 'mine');
  });

  it('leaves a folder of other files as it is', async () => {
    const folder = join(scratch.path, 'shared');
    await mkdir(folder);
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    await refuses(/^The data folder .*shared holds other files.*Choose an empty folder/, { SANDPIPER_DATA: folder });
    assert.equal((await stat(folder)).mode & 0o777, 0o755);
  });

  it('names every wrong setting at once, with 2', async () => {
    const { code, stderr } = await cli.run(['sessions'], {
      env: {
        SANDPIPER_PORT: 'many',
        SANDPIPER_LOG: 'loud',
        ANTHROPIC_BASE_URL: 'not a url',
        SANDPIPER_GITHUB_HOSTS: 'a b',
      },
    });
    assert.equal(code, 2);
    for (const name of ['SANDPIPER_PORT', 'SANDPIPER_LOG', 'ANTHROPIC_BASE_URL', 'SANDPIPER_GITHUB_HOSTS']) {
      assert.match(stderr, new RegExp(name));
    }
    assert.match(stderr, /Correct or unset/);
    assert.equal((await cli.run(['sessions'], { env: { SANDPIPER_PORT: '', SANDPIPER_LOG: '' } })).code, 0);
  });
});

describe('a relay of another version', () => {
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let refusal: unknown;
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify(request.url === '/livez' ? { service: 'sandpiper' } : { version: '9.9.9', pid: process.pid }),
    );
  });
  const sockets = new WebSocketServer({ server });

  before(async () => {
    scratch = await temporaryFolder();
    sockets.on('connection', socket =>
      socket.on('message', (data: Buffer) => {
        const call: unknown = JSON.parse(data.toString());
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: isRecord(call) ? call['id'] : null, error: refusal }));
      }),
    );
    server.listen(0, '127.0.0.1');
    await eventually(() => assert.ok(server.listening));
    const url = `http://127.0.0.1:${portOf(server.address())}`;
    await writeFile(
      join(scratch.path, 'relay.json'),
      JSON.stringify({ url, token: 'a'.repeat(43), pid: process.pid, version: '9.9.9', instance: 'x', startedAt: 0 }),
      { mode: 0o600 },
    );
  });
  after(async () => {
    sockets.close();
    server.closeAllConnections();
    server.close();
    await scratch.remove();
  });

  it('is named, and what it says about the versions reaches the person', async () => {
    refusal = {
      code: -32008,
      message: 'This relay speaks protocol 9 and newer, the client 1.',
      data: { code: 'version_mismatch', retryable: false, hint: 'Update the client.' },
    };
    const { code, stderr } = await new Cli(scratch.path).run(['sessions']);
    assert.equal(code, 4);
    assert.match(stderr, /^The relay is version 9\.9\.9, this command is 0\.1\.0\./);
    assert.match(stderr, /protocol 9 and newer.*Update the client\.\n$/);
  });
});

function address(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  assert.ok(isRecord(value));
  return value;
}

function portOf(where: string | AddressInfo | null): number {
  return where !== null && typeof where === 'object' ? where.port : 0;
}
