import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { Sandbox, SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import type { Faults } from '../support/vendors/faults.ts';

/** A vendor that is played, so that it can be told to fail. */
export interface PlayedVendor {
  readonly faults: Faults;
  readonly requests: string[];
  readonly machines: ReadonlyMap<string, unknown>;
  quota: number;
  apiKey: string;
  close(): Promise<void>;
}

export interface FaultFixture {
  vendor(): PlayedVendor;
  /** As a relay would have it that is started with this key. */
  provider(storage: string, changes?: { apiKey?: string; image?: string }): SandboxProvider;
  /** Requests by what they are for, as `METHOD /path`. */
  patterns: { create: RegExp; list: RegExp; run: RegExp; download: RegExp };
  /** Pauses or stops a sandbox behind the relay's back; where none ever sleeps: absent. */
  putToSleep?: (id: string) => Promise<void>;
  /** Whether what ran in it goes on after that. */
  keepsProcesses?: boolean;
  /** What a person is told to look at; default: the account and the key. */
  hints?: { full: RegExp; refused: RegExp };
}

const TIMEOUT_MS = 20_000;

/** What a vendor can do wrong between any two steps, and a relay that dies there. */
export function vendorFaultCases(name: string, fixture: FaultFixture): void {
  describe(`${name} that fails`, function () {
    this.timeout(60_000);
    let storage = '';
    let provider: SandboxProvider;
    const { patterns } = fixture;
    const create = async (from = provider): Promise<Sandbox> =>
      from.create({ key: `ses_${randomUUID()}`, acceptNoIsolation: false, mounts: [] });
    const lines = async (sandbox: Sandbox): Promise<string> =>
      (await sandbox.readFrom(`${sandbox.paths.workspace}/ran`, 0, 99)).data.toString();
    const once = ['sh', '-c', 'echo ran >> ran; echo said'];

    beforeEach(async () => {
      storage = await mkdtemp(join(tmpdir(), 'sandpiper-faults-'));
      provider = fixture.provider(storage);
    });

    afterEach(async () => {
      fixture.vendor().faults.clear();
      fixture.vendor().quota = 100;
      for (const ref of await fixture.provider(storage).list()) {
        await fixture.provider(storage).destroy(ref);
      }
      await rm(storage, { recursive: true });
    });

    it('makes one sandbox when the answer to its creation is lost', async () => {
      fixture.vendor().faults.set(patterns.create, { kind: 'lost' });
      const sandbox = await create();
      assert.equal(fixture.vendor().machines.size, 1);
      assert.equal((await sandbox.exec(['true'], { timeoutMs: TIMEOUT_MS })).code, 0);
    });

    it('goes on with what a relay left that died between two steps of the creation', async () => {
      const key = `ses_${randomUUID()}`;
      const spec = { key, acceptNoIsolation: false, mounts: [] };
      // The sandbox stands, nothing is in it yet.
      fixture.vendor().faults.set(patterns.run, { kind: 'answer', status: 403 }, 100);
      const half = await provider.create(spec);
      await rejects(half.exec(['true'], { timeoutMs: TIMEOUT_MS }), 'sandbox_unavailable');
      fixture.vendor().faults.clear();
      const [left] = await provider.list();
      assert.equal(left?.key, key);
      const sandbox = await fixture.provider(storage).create(spec);
      assert.equal(sandbox.ref.id, left.id);
      await sandbox.writeFile(`${sandbox.paths.workspace}/a`, Buffer.from('a'));
    });

    it('waits as it is told to when it may not ask so often', async () => {
      const limited = { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } as const;
      fixture.vendor().faults.set(patterns.list, limited);
      fixture.vendor().faults.set(patterns.create, limited);
      const began = Date.now();
      await create();
      assert.ok(Date.now() - began >= 2000);
      assert.equal(fixture.vendor().machines.size, 1);
    });

    it('tries again when the vendor cannot for a moment', async () => {
      const { faults } = fixture.vendor();
      faults.set(patterns.create, { kind: 'answer', status: 503 }, 2);
      const sandbox = await create();
      faults.set(patterns.run, { kind: 'answer', status: 500 }, 2);
      await sandbox.exec(once, { timeoutMs: TIMEOUT_MS });
      faults.set(patterns.download, { kind: 'answer', status: 500 }, 2);
      const file = `${sandbox.paths.journal}/a`;
      await sandbox.writeFile(file, Buffer.from('a'));
      assert.equal((await sandbox.readFrom(file, 0, 9)).data.toString(), 'a');
      assert.equal(await lines(sandbox), 'ran\n');
    });

    it('runs a program once whether its answer is lost or cut anywhere', async () => {
      const sandbox = await create();
      let expected = '';
      for (const fault of [
        { kind: 'lost' } as const,
        ...[1, 40, 90, 200, 400].map(afterBytes => ({ kind: 'cut', afterBytes }) as const),
      ]) {
        fixture.vendor().faults.set(patterns.run, fault);
        const { stdout } = await sandbox.exec(once, { timeoutMs: TIMEOUT_MS });
        assert.equal(stdout.toString(), 'said\n');
        expected += 'ran\n';
        fixture.vendor().faults.clear();
        assert.equal(await lines(sandbox), expected, JSON.stringify(fault));
      }
    });

    it('reads a file whole though downloads are cut', async () => {
      const sandbox = await create();
      const path = `${sandbox.paths.journal}/out`;
      const bytes = Buffer.alloc(300_000, 'sandpiper ');
      await sandbox.writeFile(path, bytes);
      fixture.vendor().faults.set(patterns.download, { kind: 'cut', afterBytes: 5000 });
      assert.ok((await sandbox.readFrom(path, 0, 1 << 20)).data.equals(bytes));
      assert.ok((await sandbox.readFrom(path, 299_990, 1 << 20)).data.equals(bytes.subarray(299_990)));
    });

    const sleep = fixture.putToSleep;
    if (sleep) {
      it('wakes a sandbox that sleeps', async () => {
        const sandbox = await create();
        await sandbox.writeFile(`${sandbox.paths.journal}/a`, Buffer.from('kept'));
        await sandbox.start('agent', ['sleep', '1000'], { cwd: sandbox.paths.workspace, env: {} });
        await sleep(sandbox.ref.id);
        assert.equal((await sandbox.readFrom(`${sandbox.paths.journal}/a`, 0, 9)).data.toString(), 'kept');
        await sleep(sandbox.ref.id);
        const other = await fixture.provider(storage).attach(sandbox.ref);
        assert.equal(await other.alive('agent'), fixture.keepsProcesses);
      });
    }

    it('says that a sandbox is gone that vanished while something ran in it', async () => {
      const sandbox = await create();
      const file = `${sandbox.paths.workspace}/up`;
      const running = rejects(
        sandbox.exec(['sh', '-c', 'echo up > up; sleep 1000'], { timeoutMs: TIMEOUT_MS }),
        'sandbox_gone',
      );
      await eventually(async () => assert.equal((await sandbox.readFrom(file, 0, 9)).missing, false));
      await provider.destroy(sandbox.ref);
      await running;
      assert.equal(await sandbox.alive('agent'), false);
      await rejects(fixture.provider(storage).attach(sandbox.ref), 'sandbox_gone');
    });

    it('says what to do when there is no more room, no such image, or no right', async () => {
      fixture.vendor().quota = 0;
      const full = await rejects(create(), 'sandbox_unavailable');
      assert.match(full.hint ?? '', fixture.hints?.full ?? /account/);
      fixture.vendor().quota = 100;
      const image = await rejects(create(fixture.provider(storage, { image: 'no-such' })), 'sandbox_unavailable');
      assert.match(`${image.message} ${image.hint}`, /no-such.*settings/i);
      const wrong = fixture.vendor().apiKey.replace(/.$/, '1');
      const stranger = fixture.provider(storage, { apiKey: wrong });
      const refused = await rejects(create(stranger), 'sandbox_unavailable');
      assert.match(refused.hint ?? '', fixture.hints?.refused ?? /_API_KEY/);
      assert.equal(`${refused.message} ${refused.hint}`.includes(wrong), false);
      const probe = await stranger.probe();
      assert.equal(probe.available, false);
      assert.match(probe.reason ?? '', /key/);
      assert.equal(fixture.vendor().machines.size, 0);
    });

    it('waits for a sandbox that is slow to start', async () => {
      const slow = Promise.withResolvers<void>();
      fixture.vendor().faults.set(patterns.create, { kind: 'hold', until: slow.promise });
      const asked = create();
      await eventually(() => assert.ok(fixture.vendor().requests.some(request => patterns.create.test(request))));
      slow.resolve();
      assert.equal((await (await asked).exec(['true'], { timeoutMs: TIMEOUT_MS })).code, 0);
    });

    it('leaves sandboxes of other relays alone', async () => {
      const other = await mkdtemp(join(tmpdir(), 'sandpiper-faults-'));
      try {
        const strangers = fixture.provider(other);
        const strange = await create(strangers);
        assert.deepEqual(await provider.list(), []);
        await rejects(provider.attach(strange.ref), 'sandbox_gone');
        await provider.destroy(strange.ref);
        assert.equal((await strange.exec(['true'], { timeoutMs: TIMEOUT_MS })).code, 0);
        await strangers.destroy(strange.ref);
      } finally {
        await rm(other, { recursive: true });
      }
    });

    it('brings no key of the relay into a sandbox', async () => {
      const sandbox = await create();
      const { stdout } = await sandbox.exec(
        [
          'sh',
          '-c',
          'cat /proc/*/environ /proc/*/cmdline; find / -xdev -newer /etc/passwd -type f -exec cat {} + 2>/dev/null; true',
        ],
        { timeoutMs: TIMEOUT_MS, maxOutputBytes: 64 << 20 },
      );
      assert.ok(stdout.length > 0);
      assert.equal(stdout.includes(fixture.vendor().apiKey), false);
    });
  });
}
