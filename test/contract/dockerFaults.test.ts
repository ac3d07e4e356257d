import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { dockerProviderOn } from '../support/docker/dockerProviderOn.ts';
import { engineCall } from '../support/docker/engineCall.ts';
import { startEngineProxy, type EngineProxy, type Fate } from '../support/docker/engineProxy.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import { requireOrSkip } from '../support/requirement.ts';

const TIMEOUT = { timeoutMs: 20_000 };

/** An engine that fails, and people who meddle: what is made stays one, and what is lost is said. */
describe('Docker sandboxes, when things go wrong', function () {
  this.timeout(90_000);
  let engine: TestEngine;
  let folder: string;
  let proxy: EngineProxy;

  before(async function () {
    const reason = whyNoEngine();
    requireOrSkip(this, 'faults of Docker', reason === undefined, reason ?? '');
    engine = await startTestEngine();
  });
  after(async () => engine?.stop());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sp-df-'));
    proxy = await startEngineProxy(engine.socket, join(folder, 'p.sock'));
  });
  afterEach(async () => {
    proxy.decide = () => 'pass';
    const provider = dockerProviderOn(engine, join(folder, 'storage'));
    for (const ref of await provider.list()) {
      await provider.destroy(ref);
    }
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As a relay has it that reaches the engine through the proxy. */
  const relay = (): SandboxProvider =>
    dockerProviderOn({ socket: join(folder, 'p.sock'), image: engine.image }, join(folder, 'storage'));
  const spec = () => ({ key: `ses_${randomUUID()}`, acceptNoIsolation: false, mounts: [] });
  const named = async (key: string) => {
    const filters = encodeURIComponent(JSON.stringify({ label: [`dev.sandpiper.session=${key}`] }));
    const found = await engineCall(engine.socket, 'GET', `/containers/json?all=1&filters=${filters}`);
    assert.ok(Array.isArray(found));
    return found.map((each: { Id: string }) => each.Id);
  };
  /** The first requests that fit meet this fate, in turn; the rest pass. */
  const once = (fits: RegExp, ...fates: Fate[]) => {
    proxy.decide = (method, path) => (fits.test(`${method} ${path}`) ? (fates.shift() ?? 'pass') : 'pass');
  };
  const CREATE = /^POST \/containers\/create\?name=sandpiper-[0-9a-f]{8}-/;
  const START = /^POST \/containers\/sandpiper-[0-9a-f]{8}-snd_\w+\/start/;

  for (const [what, fates] of Object.entries<Fate[]>({
    'the reply is lost': ['loseReply'],
    'the reply is lost twice': ['loseReply', 'loseReply'],
    'the connection is cut': ['cut'],
    'the engine is in trouble': [{ status: 500 }, { status: 503 }],
    'the engine says that there is too much': [{ status: 429 }],
    'the answer is slow': [{ delayMs: 1500 }],
  })) {
    it(`makes one container when ${what}, at its making and at its start`, async () => {
      for (const step of [CREATE, START]) {
        const wanted = spec();
        once(step, ...structuredClone(fates));
        const sandbox = await relay().create(wanted);
        assert.equal((await sandbox.exec(['true'], TIMEOUT)).code, 0);
        assert.equal((await named(wanted.key)).length, 1);
      }
    });
  }

  it('says what is wrong when the engine stays in trouble, and goes on from there when it is well', async () => {
    const wanted = spec();
    proxy.decide = (method, path) => (CREATE.test(`${method} ${path}`) ? { status: 500 } : 'pass');
    const error = await rejects(relay().create(wanted), 'sandbox_unavailable');
    assert.match(error.message, /made up by the test/);
    assert.equal(error.retryable, true);
    proxy.decide = () => 'pass';
    await relay().create(wanted);
    assert.equal((await named(wanted.key)).length, 1);
  });

  it('is one sandbox after the relay was killed between any two steps', async () => {
    for (let steps = 0; ; steps++) {
      const wanted = spec();
      let left = steps;
      // A relay that is killed asks nothing more.
      proxy.decide = () => (left-- > 0 ? 'pass' : 'cut');
      const isWhole = await relay()
        .create(wanted)
        .then(
          () => true,
          () => false,
        );
      proxy.decide = () => 'pass';
      const next = relay();
      await next.endAbandoned?.();
      const sandbox = await next.create(wanted);
      assert.equal((await sandbox.exec(['true'], TIMEOUT)).code, 0);
      assert.equal((await named(wanted.key)).length, 1, `after ${steps} requests`);
      await next.destroy(sandbox.ref);
      assert.deepEqual(await named(wanted.key), []);
      if (isWhole) {
        assert.ok(steps > 4);
        return;
      }
    }
  });

  it('brings a container back that somebody removed or stopped, with all files; what ran is over', async () => {
    const wanted = spec();
    const provider = relay();
    const sandbox = await provider.create(wanted);
    for (const way of ['DELETE /containers/ID?force=1', 'POST /containers/ID/stop?t=0', 'POST /containers/ID/kill']) {
      const { workspace } = sandbox.paths;
      await sandbox.start('agent', ['sh', '-c', 'echo kept > kept; sleep 1000'], { cwd: workspace, env: {} });
      await eventually(async () => {
        assert.equal((await sandbox.readFrom(`${workspace}/kept`, 0, 9)).data.toString(), 'kept\n');
      });
      const [id = ''] = await named(wanted.key);
      const [method = '', path = ''] = way.replace('ID', id).split(' ');
      await engineCall(engine.socket, method, path);
      assert.equal(await sandbox.alive('agent'), false, way);
      assert.equal((await sandbox.exec(['cat', 'kept'], TIMEOUT)).stdout.toString(), 'kept\n');
      assert.equal((await named(wanted.key)).length, 1);
      await sandbox.exec(['rm', 'kept'], TIMEOUT);
    }
  });

  it('says sandbox_gone where the files went with the container', async () => {
    const elsewhere = await startEngineProxy(engine.socket);
    try {
      const changes = { engine: { host: elsewhere.url, certPath: undefined, runtimeFolder: undefined, home: '/' } };
      const far = () => dockerProviderOn(engine, join(folder, 'storage'), { ...changes, network: 'none' });
      const probe = await far().probe();
      assert.deepEqual([probe.available, probe.capabilities.hostMounts], [true, false]);
      const wanted = spec();
      const sandbox = await far().create(wanted);
      assert.deepEqual([sandbox.hostMounts, sandbox.modelSocket], [false, false]);
      await sandbox.writeFile(`${sandbox.paths.workspace}/x`, Buffer.from('far'));
      assert.equal((await sandbox.exec(['cat', 'x'], TIMEOUT)).stdout.toString(), 'far');
      const [id = ''] = await named(wanted.key);
      await engineCall(engine.socket, 'DELETE', `/containers/${id}?force=1`);
      await rejects(sandbox.exec(['true'], TIMEOUT), 'sandbox_gone');
      await rejects(sandbox.readFrom(`${sandbox.paths.workspace}/x`, 0, 9), 'sandbox_gone');
      await rejects(far().attach(sandbox.ref), 'sandbox_gone');
      assert.equal(await sandbox.alive('agent'), false);
    } finally {
      await elsewhere.close();
    }
  });

  it('fails soon when the connection breaks while a program runs, and leaves nothing of it running', async () => {
    const sandbox = await relay().create(spec());
    once(/^POST \/exec\/\w+\/start/, { cutAfterMs: 500 });
    const began = Date.now();
    const error = await rejects(sandbox.exec(['sleep', '987654'], { timeoutMs: 60_000 }), 'sandbox_unavailable');
    assert.equal(error.retryable, true);
    assert.ok(Date.now() - began < 30_000);
    const { stdout } = await sandbox.exec(['ps', '-A', '-o', 'args'], TIMEOUT);
    assert.ok(!stdout.includes('987654'), stdout.toString());
  });

  it('says that no engine answers and what to do, and works when it is back', async () => {
    const provider = relay();
    const sandbox = await provider.create(spec());
    await proxy.close();
    const probe = await provider.probe();
    assert.equal(probe.available, false);
    assert.match(probe.reason ?? '', /is not running/);
    assert.ok(probe.hint);
    await rejects(sandbox.exec(['true'], TIMEOUT), 'sandbox_unavailable');
    await rejects(provider.create(spec()), 'sandbox_unavailable');
    await provider.endAbandoned?.();
    // The files are the relay's own: they are there without an engine.
    await sandbox.writeFile(`${sandbox.paths.journal}/in`, Buffer.from('x'));
    proxy = await startEngineProxy(engine.socket, join(folder, 'p.sock'));
    assert.equal((await sandbox.exec(['cat', '/journal/in'], TIMEOUT)).stdout.toString(), 'x');
  });

  it('says that the image is missing and how to make it', async () => {
    const provider = dockerProviderOn({ socket: engine.socket, image: 'no-such-image' }, join(folder, 'storage'));
    const { available, reason, hint } = await provider.probe();
    assert.equal(available, false);
    assert.match(`${reason} ${hint}`, /no-such-image.*sandpiper image build/);
    await rejects(provider.create(spec()), 'sandbox_unavailable');
    assert.deepEqual(await provider.list(), []);
  });

  it('ends at its start what nobody owns: its own only, and nothing that is just being made', async () => {
    const provider = relay();
    const mine = await provider.create(spec());
    const other = dockerProviderOn(engine, join(folder, 'other'));
    const theirs = spec();
    await other.create(theirs);
    const [id = ''] = await named(theirs.key);
    const record = await engineCall(engine.socket, 'GET', `/containers/${id}/json`);
    assert.ok(typeof record === 'object' && record !== null);
    // Its folder is lost, as after a backup of another day was put back.
    await rm(join(folder, 'other'), { recursive: true });
    await provider.endAbandoned?.();
    assert.equal((await mine.exec(['true'], TIMEOUT)).code, 0);
    assert.equal((await named(theirs.key)).length, 1, "another relay's");
    await engineCall(engine.socket, 'DELETE', `/containers/${id}?force=1`);
  });
});
