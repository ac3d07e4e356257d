import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { rejects } from '../support/rejects.ts';
import { sandboxFileCases } from './sandboxFileCases.ts';
import type { SandboxExpectations, SandboxFixture } from './sandboxFixture.ts';
import { sandboxIsolationCases } from './sandboxIsolationCases.ts';
import { sandboxProgramCases } from './sandboxProgramCases.ts';
import { sandboxVitalsCases } from './sandboxVitalsCases.ts';

/** The contract of SandboxProvider, for every provider. `makeProvider` gets an empty folder to keep things in. */
export function sandboxSuite(
  name: string,
  makeProvider: (storage: string) => SandboxProvider,
  expectations: SandboxExpectations,
): void {
  describe(`SandboxProvider: ${name}`, function () {
    this.timeout(30_000);
    let folder = '';
    let provider: SandboxProvider | undefined;

    const fixture: SandboxFixture = {
      expectations,
      get provider() {
        assert.ok(provider);
        return provider;
      },
      get storage() {
        return join(folder, 'storage');
      },
      get host() {
        return folder;
      },
      reopen: () => makeProvider(join(folder, 'storage')),
      spec: changes => ({
        key: `ses_${randomUUID()}`,
        acceptNoIsolation: expectations.isolation === 'none',
        mounts: [],
        ...changes,
      }),
      create: async changes => fixture.provider.create(fixture.spec(changes)),
    };

    beforeEach(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'sandpiper-sandbox-')));
      provider = makeProvider(join(folder, 'storage'));
    });

    afterEach(async () => {
      for (const ref of await fixture.provider.list()) {
        await fixture.provider.destroy(ref);
      }
      await rm(folder, { recursive: true, force: true });
    });

    lifeCases(fixture);
    sandboxProgramCases(fixture);
    sandboxVitalsCases(fixture);
    sandboxFileCases(fixture);
    sandboxIsolationCases(fixture);
  });
}

function lifeCases(fixture: SandboxFixture): void {
  it('says that it is available and how well it isolates', async () => {
    const probe = await fixture.provider.probe();
    assert.equal(probe.available, true);
    assert.equal(probe.capabilities.isolation, fixture.expectations.isolation);
  });

  it('makes one sandbox for one key', async () => {
    const spec = fixture.spec();
    const first = await fixture.provider.create(spec);
    await first.writeFile(`${first.paths.workspace}/kept`, Buffer.from('kept'));
    const second = await fixture.provider.create(spec);
    assert.deepEqual(second.ref, first.ref);
    assert.equal((await second.readFrom(`${second.paths.workspace}/kept`, 0, 10)).data.toString(), 'kept');
    assert.deepEqual(await fixture.provider.list(), [{ ...first.ref, key: spec.key }]);
    assert.notDeepEqual((await fixture.create()).ref, first.ref);
  });

  it('makes one sandbox for one key when asked at the same time', async () => {
    const spec = fixture.spec();
    const other = fixture.reopen();
    const made = await Promise.all([fixture.provider, other, fixture.provider, other].map(async p => p.create(spec)));
    assert.equal(new Set(made.map(sandbox => sandbox.ref.id)).size, 1);
    assert.equal((await fixture.provider.list()).length, 1);
    const codes = await Promise.all(
      made.map(async sandbox => (await sandbox.exec(['true'], { timeoutMs: 9000 })).code),
    );
    assert.deepEqual(codes, [0, 0, 0, 0]);
  });

  it('gives the isolation that it promised', async () => {
    const sandbox = await fixture.create();
    assert.equal(sandbox.isolation, fixture.expectations.isolation);
  });

  it('attaches to what exists, from anywhere', async () => {
    const sandbox = await fixture.create();
    await sandbox.writeFile(`${sandbox.paths.journal}/a`, Buffer.from('a'));
    const attached = await fixture.reopen().attach(sandbox.ref);
    assert.deepEqual(attached.paths, sandbox.paths);
    assert.equal(
      (await attached.exec(['cat', `${sandbox.paths.journal}/a`], { timeoutMs: 9000 })).stdout.toString(),
      'a',
    );
  });

  it('makes one with its files that of another key, where it can', async () => {
    const { provider } = fixture;
    const kept = await fixture.create({ key: 'kept' });
    if (!provider.adopt || fixture.expectations.isolation === 'none') {
      assert.equal(await provider.adopt?.(kept.ref, fixture.spec()), undefined);
      return;
    }
    await kept.writeFile(`${kept.paths.workspace}/a`, Buffer.from('a'));
    const spec = fixture.spec({ key: 'taken' });
    const taken = await provider.adopt(kept.ref, spec);
    assert.ok(taken);
    const read = await taken.exec(['cat', 'a'], { timeoutMs: 9000 });
    assert.equal(read.stdout.toString(), 'a');
    assert.deepEqual((await provider.create(spec)).ref, taken.ref);
    assert.deepEqual(
      (await provider.list()).map(({ id, key }) => [id, key]),
      [[taken.ref.id, 'taken']],
    );
    await rejects(provider.attach(kept.ref), 'sandbox_gone');
    assert.equal(await provider.adopt(kept.ref, fixture.spec({ key: 'third' })), undefined);
    const other = await fixture.create({ key: 'kept' });
    assert.equal(await provider.adopt(other.ref, spec), undefined, 'that key has one');
  });

  it('says sandbox_gone for what does not exist', async () => {
    await rejects(fixture.provider.attach({ provider: fixture.provider.id, id: 'snd_0' }), 'sandbox_gone');
    await rejects(fixture.provider.attach({ provider: fixture.provider.id, id: '../../etc' }), 'sandbox_gone');
    const sandbox = await fixture.create();
    await fixture.provider.destroy(sandbox.ref);
    const file = `${sandbox.paths.journal}/a`;
    await rejects(fixture.provider.attach(sandbox.ref), 'sandbox_gone');
    await rejects(sandbox.exec(['true'], { timeoutMs: 9000 }), 'sandbox_gone');
    await rejects(sandbox.start('agent', ['true'], { cwd: sandbox.paths.workspace, env: {} }), 'sandbox_gone');
    await rejects(sandbox.writeFile(file, Buffer.from('')), 'sandbox_gone');
    await rejects(sandbox.readFrom(file, 0, 1), 'sandbox_gone');
    assert.deepEqual(await fixture.provider.list(), []);
  });

  it('destroys twice as well as once, and makes the key anew', async () => {
    const spec = fixture.spec();
    const first = await fixture.provider.create(spec);
    await first.writeFile(`${first.paths.workspace}/old`, Buffer.from('old'));
    await fixture.provider.destroy(first.ref);
    await fixture.provider.destroy(first.ref);
    const second = await fixture.provider.create(spec);
    assert.equal((await second.readFrom(`${second.paths.workspace}/old`, 0, 1)).missing, true);
  });

  it('destroys folders that were closed from inside', async () => {
    const sandbox = await fixture.create();
    const script = 'mkdir -p a/b && touch a/b/c && ln -s b a/l && chmod 0 a/b a';
    assert.equal((await sandbox.exec(['sh', '-c', script], { timeoutMs: 9000 })).code, 0);
    await fixture.provider.destroy(sandbox.ref);
    assert.deepEqual(await fixture.provider.list(), []);
  });
}
