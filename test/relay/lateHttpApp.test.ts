import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import { Guard } from '../../server/src/http/guard.ts';
import { lateHttpApp } from '../../server/src/http/lateHttpApp.ts';
import { startWireServer, WIRE_TOKEN, type WireServer } from '../support/wireServer.ts';

const AUTHORIZED = { authorization: `Bearer ${WIRE_TOKEN}` };

describe('the HTTP application before it is loaded', () => {
  let server: Server | undefined;
  let whole: WireServer | undefined;

  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    await whole?.close();
    [server, whole] = [undefined, undefined];
  });

  /** @returns its URL, and how often the application was loaded */
  async function serve(load: () => Promise<string>): Promise<{ url: string; loads: () => number }> {
    const guard = new Guard({ token: WIRE_TOKEN, verifyBrowserToken: () => false });
    let loads = 0;
    const app = lateHttpApp({ guard, log: silentLogger, version: '0.1.0' }, async () => {
      loads++;
      const text = await load();
      return (_request, response) => void response.end(text);
    });
    server = createServer(app.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    guard.listensOn('127.0.0.1', address.port);
    return { url: `http://127.0.0.1:${address.port}`, loads: () => loads };
  }

  it('answers the probe of a client as the application does, and loads nothing for it', async () => {
    const { url, loads } = await serve(() => Promise.resolve('loaded'));
    whole = await startWireServer();
    const shown = (response: Response): [string, string][] =>
      [...response.headers].filter(([name]) => !/^(date|content-security)/.test(name));
    for (const headers of [{}, AUTHORIZED, { authorization: 'Bearer wrong' }]) {
      const [late, real]: Response[] = await Promise.all(
        [url, whole.url].map(each => fetch(`${each}/livez`, { headers })),
      );
      assert.ok(late && real);
      assert.deepEqual(shown(late), shown(real));
      assert.deepEqual(await late.json(), await real.json());
      assert.equal(late.status, 200);
    }
    assert.equal(loads(), 0);
  });

  it('names the relay only to who has its token', async () => {
    const { url } = await serve(() => Promise.resolve('loaded'));
    const ask = async (headers: Record<string, string>): Promise<unknown> =>
      (await fetch(`${url}/livez`, { headers })).json();
    const alive = { status: 'alive', service: 'sandpiper' };
    assert.deepEqual(await ask(AUTHORIZED), { ...alive, version: '0.1.0', pid: process.pid });
    assert.deepEqual(await ask({ authorization: 'Bearer wrong' }), alive);
  });

  it('has every other request wait until it is loaded, once', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { url, loads } = await serve(() => promise);
    const asked = ['/v1/relay', '/', '/livez/'].map(path => fetch(`${url}${path}`));
    assert.equal((await fetch(`${url}/livez`)).status, 200);
    resolve('loaded');
    assert.deepEqual(await Promise.all(asked.map(async one => (await one).text())), ['loaded', 'loaded', 'loaded']);
    assert.equal(loads(), 1);
    assert.equal(await (await fetch(`${url}/livez`)).text(), 'loaded');
  });

  it('answers 500 when it cannot be loaded', async () => {
    const { url } = await serve(() => Promise.reject(new Error('no such file')));
    assert.equal((await fetch(`${url}/v1/relay`)).status, 500);
  });
});
