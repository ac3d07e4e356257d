import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWireServer } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { ask, askRaw, statusOf } from '../support/wireHttp.ts';
import { upgradeStatus, WireSocket } from '../support/wireSocket.ts';

describe('http: the web page', () => {
  let folder: string;
  let server: WireServer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-page-'));
    await mkdir(join(folder, 'page'));
    await mkdir(join(folder, 'bundle/chunks'), { recursive: true });
    await writeFile(join(folder, 'page/index.html'), '<!doctype html><title>Sandpiper</title>');
    await writeFile(join(folder, 'bundle/main.js'), 'export {};');
    await writeFile(join(folder, 'bundle/chunks/a.js'), 'export {};');
    await writeFile(join(folder, 'bundle/.hidden'), 'hidden');
    await writeFile(join(folder, 'secret.txt'), 'the secret');
    await symlink(join(folder, 'bundle/main.js'), join(folder, 'bundle/linked.js'));
    server = await startWireServer({ webFolders: [join(folder, 'page'), join(folder, 'bundle')] });
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves its files without a token, under a strict policy', async () => {
    const page = await ask(`${server.url}/`, { token: undefined });
    assert.equal(page.status, 200);
    assert.match(String(page.body['text']), /Sandpiper/);
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const part of [`default-src 'none'`, `script-src 'self'`, `style-src 'self'`, `frame-ancestors 'none'`]) {
      assert.ok(policy.includes(part), part);
    }
    assert.ok(policy.includes(`connect-src 'self' ws://127.0.0.1:${server.port}`));
    assert.ok(!policy.includes('unsafe'));
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const script = await ask(`${server.url}/main.js`, { token: undefined });
    assert.match(script.headers.get('content-type') ?? '', /javascript/);
    assert.equal((await ask(`${server.url}/chunks/a.js`, { token: undefined })).status, 200);
  });

  it('serves nothing outside its folders', async () => {
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/chunks/../../secret.txt',
      '/chunks/..%5c..%5csecret.txt',
      '/....//secret.txt',
      '/%00/../secret.txt',
      '//etc/passwd',
      '/.hidden',
      '/main.js%00.html',
      '/chunks',
    ];
    for (const path of paths) {
      const answer = await askRaw(server.port, request(path), '\r\n\r\n');
      assert.ok([400, 403, 404].includes(statusOf(answer)), `${path}: ${answer.slice(0, 60)}`);
      assert.ok(!answer.includes('the secret') && !answer.includes('root:'), path);
    }
  });

  it('does not open the API with it', async () => {
    for (const path of ['/v1/relay', '//v1/relay', '/V1/relay', '/v1//relay', '/readyz', '/v1', '/./v1/relay']) {
      const answer = await askRaw(server.port, request(path), '\r\n\r\n');
      assert.ok([400, 401, 404].includes(statusOf(answer)), `${path}: ${answer.slice(0, 60)}`);
      assert.ok(!answer.includes('dataFolder'), path);
    }
    assert.equal((await ask(`${server.url}/`, { method: 'POST', token: undefined })).status, 401);
  });

  it('lets a browser in: ticket, token, WebSocket with the token as subprotocol that is not echoed', async () => {
    const { body: issued } = await ask(`${server.url}/v1/tickets`, { method: 'POST' });
    const { body: redeemed } = await ask(`${server.url}/v1/tickets/redeem`, {
      method: 'POST',
      body: { ticket: issued['ticket'] },
      token: undefined,
      headers: { origin: server.url },
    });
    const protocols = [`bearer.${String(redeemed['token'])}`, 'sandpiper.v1'];
    const socket = await WireSocket.open(server.url, { headers: { origin: server.url }, protocols });
    assert.equal(socket.socket.protocol, 'sandpiper.v1');
    assert.ok((await socket.call('relay.info'))['result']);
    socket.close();
    assert.equal(await upgradeStatus(server.url, { origin: server.url }, ['bearer.wrong', 'sandpiper.v1']), 401);
  });

  function request(path: string): string {
    return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`;
  }
});
