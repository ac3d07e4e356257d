import assert from 'node:assert/strict';
import { Daytona, DaytonaConflictError, DaytonaNotFoundError, DaytonaRateLimitError } from '@daytonaio/sdk';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { DaytonaEmulator } from '../support/vendors/daytona/daytonaEmulator.ts';

/** Daytona as it is played for the tests, driven by the vendor's own SDK. */
describe('the emulator of Daytona', function () {
  this.timeout(30_000);
  let vendor: DaytonaEmulator;
  let daytona: Daytona;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'the emulator of Daytona', why === undefined, why ?? '');
    vendor = await DaytonaEmulator.start();
    daytona = new Daytona({
      apiKey: vendor.apiKey,
      apiUrl: `${vendor.url}/api`,
      target: 'local',
      useDeprecatedPolling: true,
    });
  });

  afterEach(() => {
    vendor.faults.clear();
    assert.deepEqual(vendor.violations.splice(0), []);
  });

  after(async () => {
    await daytona?.[Symbol.asyncDispose]();
    await vendor?.close();
  });

  it('runs programs, keeps files and serves ranges of them', async () => {
    const sandbox = await daytona.create({ snapshot: 'base', envVars: { FOO: 'bar' }, autoStopInterval: 0 });
    const ran = await sandbox.process.executeCommand('echo out; echo err >&2; echo $FOO $X; exit 3', undefined, {
      X: 'y',
    });
    assert.deepEqual([ran.exitCode, ran.result], [3, 'out\nerr\nbar y\n']);
    await sandbox.fs.uploadFile(Buffer.from('hello'), '/home/daytona/a');
    const address = `${sandbox.toolboxProxyUrl}/${sandbox.id}/files/download?path=${encodeURIComponent('/home/daytona/a')}`;
    const headers = { authorization: `Bearer ${vendor.apiKey}`, range: 'bytes=3-' };
    const part = await fetch(address, { headers });
    assert.deepEqual([part.status, await part.text()], [206, 'lo']);
    vendor.ignoresRange = true;
    const whole = await fetch(address, { headers });
    assert.deepEqual([whole.status, await whole.text()], [200, 'hello']);
    vendor.ignoresRange = false;
    await assert.rejects(sandbox.process.executeCommand('sleep 20', undefined, undefined, 1), { statusCode: 408 });
    await sandbox.delete(10);
  });

  it('loses processes and keeps files when it stops', async () => {
    const sandbox = await daytona.create({ name: 'relay-1', snapshot: 'base' });
    await sandbox.process.executeCommand('echo kept > kept; sleep 1000 > /dev/null 2>&1 &');
    await sandbox.stop();
    await assert.rejects(sandbox.process.executeCommand('true'), { statusCode: 400 });
    await sandbox.start();
    const after = await sandbox.process.executeCommand('cat kept; pgrep -c sleep');
    assert.equal(after.result, 'kept\n0\n');
    await assert.rejects(daytona.create({ name: 'relay-1', snapshot: 'base' }), DaytonaConflictError);
    await sandbox.delete(10);
    await assert.rejects(daytona.get('relay-1'), DaytonaNotFoundError);
  });

  it('finds sandboxes by their labels, page by page', async () => {
    const made = [
      await daytona.create({ snapshot: 'base', labels: { owner: 'ä 1' } }),
      await daytona.create({ snapshot: 'base', labels: { owner: 'ä 1' } }),
      await daytona.create({ snapshot: 'base' }),
    ];
    vendor.pageSize = 1;
    const found = [];
    for await (const { id } of daytona.list({ labels: { owner: 'ä 1' } })) {
      found.push(id);
    }
    assert.deepEqual(found, [made[0]?.id, made[1]?.id]);
    vendor.pageSize = 100;
    await Promise.all(made.map(async sandbox => sandbox.delete(10)));
  });

  it('fails as it is told to', async () => {
    vendor.faults.set(/POST \/api\/sandbox$/, { kind: 'answer', status: 429, headers: { 'retry-after': '7' } });
    await assert.rejects(daytona.create({ snapshot: 'base' }), DaytonaRateLimitError);
    vendor.faults.set(/POST \/api\/sandbox$/, { kind: 'lost' });
    await assert.rejects(daytona.create({ snapshot: 'base', name: 'half' }));
    assert.equal((await daytona.get('half')).name, 'half');
    await (await daytona.get('half')).delete(10);
  });
});
