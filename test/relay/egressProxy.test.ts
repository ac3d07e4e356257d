import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { NetworkRule } from '../../protocol/network.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { dial } from '../../server/src/egress/dial.ts';
import { EGRESS_SOCKET, EgressProxy, type EgressRecord } from '../../server/src/egress/egressProxy.ts';
import { eventually } from '../support/eventually.ts';
import { proxyClient, type ProxyClient } from '../support/proxyClient.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { useTempFolder } from '../support/tempRepository.ts';

const run = promisify(execFile);

/** What programs of a sandbox can do with the proxy: real sockets, real servers, and a resolver that lies. */
describe('the way out of a sandbox', function () {
  this.timeout(20_000);
  const folder = useTempFolder();
  const cleanups: (() => Promise<unknown>)[] = [];
  let rules: NetworkRule[];
  let records: EgressRecord[];
  /** What the resolver says of a name, one answer after the other; the last stays. */
  let names: Record<string, string[][]>;

  beforeEach(function () {
    requireOrSkip(this, 'the way out of a sandbox', process.platform !== 'win32', 'Windows has no such sandboxes');
    [rules, records, names] = [[], [], {}];
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });

  async function listening(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(async () => new Promise(resolve => server.close(resolve)));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return (address satisfies AddressInfo).port;
  }

  async function open(
    options: { privateHosts?: NetworkRule[]; maxSentBytes?: number; tlsPort?: number; ca?: string } = {},
  ): Promise<{ proxy: EgressProxy; client: ProxyClient }> {
    const lookup = async (host: string): Promise<string[]> => {
      const answers = names[host] ?? [];
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    };
    const proxy = new EgressProxy({
      log: silentLogger,
      privateHosts: options.privateHosts ?? [],
      maxSentBytes: options.maxSentBytes ?? Infinity,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      connect: asked =>
        dial({
          ...asked,
          lookup,
          timeoutMs: 2000,
          ...(asked.port === 443 && options.tlsPort !== undefined ? { port: options.tlsPort } : {}),
        }),
    });
    cleanups.push(async () => proxy.dispose());
    await proxy.open({
      sessionId: 'ses_1',
      socketFolder: folder(),
      rules: () => rules,
      onRecord: record => records.push(record),
    });
    return { proxy, client: proxyClient(join(folder(), EGRESS_SOCKET)) };
  }

  const echo = async (): Promise<number> =>
    listening(createServer(socket => void socket.on('error', () => {}).pipe(socket)));

  it('leads nowhere without a rule, and says so to the program and to the session', async () => {
    const { client, proxy } = await open();
    names['example.com'] = [['93.184.216.34']];
    const { status, said } = await client.tunnel('example.com:443');
    assert.equal(status, 403);
    assert.match(said, /may not reach example\.com:443/);
    assert.equal((await client.ask('http://example.com/')).status, 403);
    await client.tunnel('example.com:443');
    assert.deepEqual(records.slice(0, 2), [
      { host: 'example.com', port: 443, blocked: 'notAllowed' },
      { host: 'example.com', port: 80, blocked: 'notAllowed' },
    ]);
    assert.equal(proxy.times('ses_1')({ host: 'example.com', port: 443, blocked: 'notAllowed' }), 2);
  });

  it('carries bytes both ways to a host with a rule, and cuts them when the rule is taken back', async () => {
    const port = await echo();
    rules = [{ host: 'registry.corp', port }];
    names['registry.corp'] = [['127.0.0.1']];
    const { client, proxy } = await open({ privateHosts: [{ host: 'registry.corp', port }] });
    const { socket } = await client.tunnel(`Registry.Corp.:${port}`);
    assert.ok(socket);
    const large = Buffer.alloc(3_000_000, 'x');
    const back = text(socket);
    socket.end(large);
    assert.equal((await back).length, large.length);
    const second = (await client.tunnel(`registry.corp:${port}`)).socket;
    assert.ok(second);
    rules = [];
    const closed = once(second, 'close');
    proxy.recheck();
    second.resume();
    await closed;
    assert.equal((await client.tunnel(`registry.corp:${port}`)).status, 403);
  });

  it('refuses private addresses, whatever name or spelling leads to them', async () => {
    const port = await echo();
    const addresses = [
      '127.0.0.1',
      '169.254.169.254',
      '10.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
      'fd00:ec2::254',
    ];
    for (const [index, address] of addresses.entries()) {
      names[`evil${index}.com`] = [[address]];
      rules.push({ host: `evil${index}.com`, port });
    }
    // One of many is enough.
    names['mixed.com'] = [['93.184.216.34', '127.0.0.1']];
    const literals = ['127.0.0.1', '::1', '::ffff:7f00:1', '169.254.169.254'];
    rules.push({ host: 'mixed.com', port }, ...literals.map(host => ({ host, port })));
    const { client } = await open();
    const places = [...addresses.map((_, index) => `evil${index}.com`), 'mixed.com', ...literals];
    for (const host of places) {
      const { status, said } = await client.tunnel(`${host.includes(':') ? `[${host}]` : host}:${port}`);
      assert.equal(status, 403, host);
      assert.match(said, /private network/);
    }
    assert.ok(records.every(({ blocked }) => blocked === 'privateAddress'));
    // Other ways to write a number are names, which nobody has.
    rules = ['2130706433', '0x7f000001', '127.1'].map(host => ({ host, port }));
    for (const { host } of rules) {
      assert.equal((await client.tunnel(`${host}:${port}`)).status, 502, host);
    }
  });

  it('is not led astray by a name that changes its address between the check and the connection', async () => {
    const port = await echo();
    rules = [{ host: 'rebind.com', port }];
    // TEST-NET is no public address; so both answers are refused, and none is asked for twice.
    names['rebind.com'] = [['203.0.113.7'], ['127.0.0.1']];
    const { client } = await open();
    assert.equal((await client.tunnel(`rebind.com:${port}`)).status, 403);
    assert.equal((await client.tunnel(`rebind.com:${port}`)).status, 403);
    let asked = 0;
    const socket = await dial({
      host: 'rebind.com',
      port,
      allowPrivate: true,
      lookup: async () => (asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']),
    });
    assert.ok(typeof socket === 'object');
    assert.deepEqual([asked, socket.remoteAddress], [1, '127.0.0.1']);
    socket.destroy();
  });

  it("keeps to metadata services' addresses also for a host of the operator's own network", async () => {
    names['registry.corp'] = [['169.254.169.254']];
    rules = [{ host: 'registry.corp', port: 80 }];
    const { client } = await open({ privateHosts: rules });
    assert.equal((await client.ask('http://registry.corp/latest/meta-data/')).status, 403);
  });

  it('follows no redirect: the program asks again, and is asked for a rule again', async () => {
    const port = await listening(
      createHttpServer((_request, response) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end(),
      ),
    );
    rules = [{ host: 'registry.corp', port }];
    names['registry.corp'] = [['127.0.0.1']];
    const { client } = await open({ privateHosts: [...rules] });
    const first = await client.ask(`http://registry.corp:${port}/a`);
    assert.equal(first.status, 302);
    assert.equal((await client.ask(first.headers.location ?? '')).status, 403);
  });

  it('passes plain requests on as they are, but for what is between it and the program', async () => {
    const seen: IncomingMessage[] = [];
    const bodies: string[] = [];
    const server = createHttpServer((request, response) => {
      seen.push(request);
      void text(request).then(body => {
        bodies.push(body);
        response.writeHead(201, { 'x-own': 'yes' }).end('made');
      });
    });
    const port = await listening(server);
    rules = [{ host: 'registry.corp', port }];
    names['registry.corp'] = [['127.0.0.1']];
    const { client } = await open({ privateHosts: [...rules] });
    const answer = await client.ask(`http://registry.corp:${port}/a?b=c`, 'PUT', 'body');
    assert.deepEqual([answer.status, answer.said, answer.headers['x-own']], [201, 'made', 'yes']);
    assert.deepEqual([seen[0]?.url, seen[0]?.method, bodies[0]], ['/a?b=c', 'PUT', 'body']);
    assert.deepEqual(
      [seen[0]?.headers.host, seen[0]?.headers['proxy-authorization']],
      [`registry.corp:${port}`, undefined],
    );
  });

  it('speaks TLS to a host that may only be read from, and lets nothing but reading pass', async function () {
    const key = join(folder(), 'key.pem');
    const certificate = join(folder(), 'cert.pem');
    const options = '-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=github.com'.split(' ');
    const files = ['-keyout', key, '-out', certificate, '-addext', 'subjectAltName=DNS:github.com'];
    const made = await run('openssl', ['req', ...options, ...files]).catch(() => undefined);
    requireOrSkip(this, 'reading by TLS', made !== undefined && existsSync(key), 'openssl is not installed');
    const asked: string[] = [];
    const tlsPort = await listening(
      createHttpsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers.host}`);
        request.resume();
        response.writeHead(301, { location: 'https://codeload.github.com/x' }).end('found');
      }),
    );
    rules = [
      { host: 'github.com', port: 80, readOnly: true },
      { host: 'codeload.github.com', port: 80, readOnly: true },
    ];
    names['github.com'] = [['127.0.0.1']];
    const privateHosts = [{ host: 'github.com', port: 443 }];
    const stranger = await open({ tlsPort, privateHosts });
    // Its certificate is nobody's that is trusted: the line is cut before anything is said.
    assert.equal((await stranger.client.ask('http://github.com/a/b')).status, 502);
    assert.deepEqual(asked, []);
    await stranger.proxy.dispose();
    const { client } = await open({ tlsPort, privateHosts, ca: readFileSync(certificate, 'utf8') });
    const answer = await client.ask('http://github.com/a/b?c');
    assert.deepEqual([answer.status, answer.said], [301, 'found']);
    assert.equal(answer.headers.location, 'http://codeload.github.com/x');
    assert.equal((await client.ask('http://github.com/a/b.git/git-upload-pack', 'POST', 'want')).status, 301);
    assert.deepEqual(asked, ['GET /a/b?c github.com', 'POST /a/b.git/git-upload-pack github.com']);
    for (const [method, path] of [
      ['POST', '/a/b.git/git-receive-pack'],
      ['PUT', '/x'],
      ['DELETE', '/x'],
    ] as const) {
      assert.equal((await client.ask(`http://github.com${path}`, method, 'x')).status, 403);
    }
    assert.equal((await client.tunnel('github.com:443')).status, 403);
    assert.equal((await client.tunnel('github.com:80')).status, 403);
    // Who may do everything by TLS may do it this way too: git in a sandbox knows no other.
    rules = [{ host: 'github.com', port: 443 }];
    assert.equal((await client.ask('http://github.com/a/b.git/git-receive-pack', 'POST', 'x')).status, 301);
  });

  it('lets a session send so much and no more', async () => {
    const port = await echo();
    rules = [{ host: 'registry.corp', port }];
    names['registry.corp'] = [['127.0.0.1']];
    const { client } = await open({ privateHosts: [...rules], maxSentBytes: 1_000_000 });
    const { socket } = await client.tunnel(`registry.corp:${port}`);
    assert.ok(socket);
    socket.resume();
    socket.write(Buffer.alloc(2_000_000));
    await new Promise(resolve => socket.once('close', resolve));
    const { status, said } = await client.tunnel(`registry.corp:${port}`);
    assert.equal(status, 403);
    assert.match(said, /as much as it may/);
  });

  it('answers nonsense, and lives', async () => {
    const { client } = await open();
    for (const authority of ['nonsense', 'a b:443', 'a.b:0', 'a.b:99999', '@x:443', `${'a'.repeat(300)}.com:443`]) {
      const { status } = await client.tunnel(encodeURI(authority));
      assert.equal(status, 400, authority);
    }
    assert.equal((await client.ask('https://example.com/')).status, 400);
    assert.equal((await client.ask('ftp://example.com/')).status, 400);
    assert.deepEqual(records, []);
    await eventually(async () => assert.equal((await client.tunnel('example.com:443')).status, 403));
  });
});
