import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { CommandExitError, RateLimitError, Sandbox, SandboxNotFoundError } from 'e2b';
import { eventually } from '../support/eventually.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { E2bEmulator } from '../support/vendors/e2b/e2bEmulator.ts';

/** E2B as it is played for the tests, driven by the vendor's own SDK. */
describe('the emulator of E2B', function () {
  this.timeout(30_000);
  let e2b: E2bEmulator;
  let options: { apiKey: string; apiUrl: string; sandboxUrl: string; retries: number };

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'the emulator of E2B', why === undefined, why ?? '');
    e2b = await E2bEmulator.start();
    options = { apiKey: e2b.apiKey, apiUrl: e2b.url, sandboxUrl: e2b.url, retries: 0 };
  });

  afterEach(() => {
    e2b.faults.clear();
    assert.deepEqual(e2b.violations.splice(0), []);
  });

  after(async () => {
    await e2b?.close();
  });

  it('runs programs, keeps files and serves ranges of them', async () => {
    const sandbox = await Sandbox.create('base', { ...options, envs: { FOO: 'bar' } });
    const failed: unknown = await sandbox.commands
      .run('echo out; echo err >&2; echo $FOO $HOME; exit 3')
      .catch((error: unknown) => error);
    assert.ok(failed instanceof CommandExitError);
    assert.deepEqual([failed.exitCode, failed.stdout, failed.stderr], [3, 'out\nbar /home/user\n', 'err\n']);
    await sandbox.files.write('/home/user/a', 'hello');
    await sandbox.files.rename('/home/user/a', '/home/user/b');
    assert.equal(await sandbox.files.read('/home/user/b'), 'hello');
    const signed = await sandbox.downloadUrl('/home/user/b');
    const route = { 'E2b-Sandbox-Id': sandbox.sandboxId, 'E2b-Sandbox-Port': '49983' };
    const part = await fetch(signed, { headers: { ...route, range: 'bytes=3-' } });
    assert.deepEqual([part.status, await part.text()], [206, 'lo']);
    assert.equal((await fetch(signed, { headers: { ...route, range: 'bytes=5-' } })).status, 416);
    assert.equal((await fetch(signed.replace(/signature=./, 'signature=x'), { headers: route })).status, 401);
    await sandbox.kill();
  });

  it('finds sandboxes by their metadata, page by page', async () => {
    const metadata = { owner: 'u 1/ä' };
    const made = [await Sandbox.create('base', { ...options, metadata }), await Sandbox.create('base', options)];
    e2b.pageSize = 1;
    const all = Sandbox.list(options);
    const ids = [...(await all.nextItems()), ...(await all.nextItems())].map(({ sandboxId }) => sandboxId);
    assert.deepEqual(ids.sort(), made.map(({ sandboxId }) => sandboxId).sort());
    const own = await Sandbox.list({ ...options, query: { metadata } }).nextItems();
    assert.deepEqual(
      own.map(({ sandboxId }) => sandboxId),
      [made[0]?.sandboxId],
    );
    e2b.pageSize = 100;
    await Promise.all(made.map(async sandbox => sandbox.kill()));
  });

  it('holds what runs while it is paused, and goes on', async () => {
    const sandbox = await Sandbox.create('base', options);
    await sandbox.commands.run('(while :; do echo t >> ticks; sleep 0.02; done) > /dev/null 2>&1 &');
    await eventually(async () => assert.ok((await sandbox.files.read('/home/user/ticks')).length > 4));
    await sandbox.pause();
    assert.equal(await sandbox.isRunning(), false);
    await Sandbox.connect(sandbox.sandboxId, options);
    const before = (await sandbox.files.read('/home/user/ticks')).length;
    await eventually(async () => assert.ok((await sandbox.files.read('/home/user/ticks')).length > before));
    await sandbox.kill();
    await assert.rejects(Sandbox.connect(sandbox.sandboxId, options), SandboxNotFoundError);
  });

  it('ends everything with a sandbox, also at the end of its time', async () => {
    const token = `9${randomInt(1_000_000, 9_999_999)}`;
    const sandbox = await Sandbox.create('base', { ...options, timeoutMs: 60_000 });
    await sandbox.commands.run(`setsid sleep ${token} > /dev/null 2>&1 &`);
    // The shell does not wait until it is a program.
    await eventually(() => assert.equal(sleepers(token), 1));
    await sandbox.setTimeout(1);
    await eventually(() => assert.equal(sleepers(token), 0));
    assert.equal(e2b.machines.size, 0);
  });

  it('fails as it is told to', async () => {
    e2b.faults.set(/POST \/v2\/sandboxes$/, { kind: 'answer', status: 429, headers: { 'retry-after': '7' } });
    await assert.rejects(Sandbox.create('base', options), RateLimitError);
    e2b.faults.set(/POST \/v2\/sandboxes$/, { kind: 'lost' });
    await assert.rejects(Sandbox.create('base', options));
    assert.equal(e2b.machines.size, 1, 'made, and its answer lost');
    e2b.faults.clear();
    const [id = ''] = e2b.machines.keys();
    const sandbox = await Sandbox.connect(id, options);
    e2b.faults.set(/Process\/Start/, { kind: 'cut', afterBytes: 60 });
    await assert.rejects(sandbox.commands.run('echo hello; sleep 0.1; echo there'));
    assert.equal((await sandbox.commands.run('echo again')).stdout, 'again\n');
    await sandbox.kill();
  });
});

function sleepers(token: string): number {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${token}\0`;
    } catch {
      return false;
    }
  }).length;
}
