import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Sandbox } from '../../server/src/sandboxes/provider.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import type { SandboxFixture } from './sandboxFixture.ts';

const TIMEOUT_MS = 9000;

/** Files of a sandbox, seen from the relay: what stands there is hostile. */
export function sandboxFileCases(fixture: SandboxFixture): void {
  plainCases(fixture);
  pathCases(fixture);
  plantedCases(fixture);
  noticeCases(fixture);
}

function plainCases(fixture: SandboxFixture): void {
  it('writes a file whole, with its folders, and reads it back byte for byte', async () => {
    const sandbox = await fixture.create();
    const path = `${sandbox.paths.journal}/a/b/c d`;
    for (const bytes of [randomBytes(2_500_000), Buffer.alloc(0), Buffer.from('äöü\0\r\n')]) {
      await sandbox.writeFile(path, bytes);
      await sandbox.writeFile(path, bytes);
      assert.deepEqual(await sandbox.readFrom(path, 0, 4_000_000), { data: bytes, missing: false });
      assert.deepEqual((await sandbox.exec(['cat', path], { timeoutMs: TIMEOUT_MS })).stdout, bytes);
    }
    assert.equal(
      (await sandbox.exec(['ls', '-A', `${sandbox.paths.journal}/a/b`], { timeoutMs: TIMEOUT_MS })).stdout.toString(),
      'c d\n',
    );
  });

  it('gives a file the mode that is asked for', async () => {
    const sandbox = await fixture.create();
    const path = `${sandbox.paths.home}/tool`;
    await sandbox.writeFile(path, Buffer.from('#!/bin/sh\necho ran\n'), { mode: 0o755 });
    assert.equal((await sandbox.exec([path], { timeoutMs: TIMEOUT_MS })).stdout.toString(), 'ran\n');
    await sandbox.writeFile(path, Buffer.from('#!/bin/sh\n'));
    assert.equal((await sandbox.exec(['test', '-x', path], { timeoutMs: TIMEOUT_MS })).code, 1);
  });

  it('lets the sandbox change what was written', async () => {
    const sandbox = await fixture.create();
    const path = `${sandbox.paths.workspace}/folder/file`;
    await sandbox.writeFile(path, Buffer.from('a'));
    await sandbox.exec(['sh', '-c', 'echo b >> folder/file && touch folder/new && rm folder/new'], {
      timeoutMs: TIMEOUT_MS,
    });
    assert.equal((await sandbox.readFrom(path, 0, 9)).data.toString(), 'ab\n');
  });

  it('reads from an offset, at most so much, and nothing at the end', async () => {
    const sandbox = await fixture.create();
    const path = `${sandbox.paths.journal}/out`;
    assert.deepEqual(await sandbox.readFrom(path, 0, 9), { data: Buffer.alloc(0), missing: true });
    await sandbox.writeFile(path, Buffer.from('0123456789'));
    const read = async (offset: number, bytes: number): Promise<string> =>
      (await sandbox.readFrom(path, offset, bytes)).data.toString();
    assert.deepEqual(
      [await read(0, 3), await read(3, 3), await read(8, 100), await read(10, 5), await read(999, 5), await read(4, 0)],
      ['012', '345', '89', '', '', ''],
    );
    assert.equal((await sandbox.readFrom(path, 999, 5)).missing, false);
    assert.equal((await sandbox.readFrom(sandbox.paths.journal + '/out/deeper', 0, 5)).missing, true);
    await rejects(sandbox.readFrom(path, -1, 5), 'invalid_params');
    await rejects(sandbox.readFrom(path, 0.5, 5), 'invalid_params');
  });
}

function pathCases(fixture: SandboxFixture): void {
  it('refuses paths that are not plainly inside', async () => {
    const sandbox = await fixture.create();
    const { workspace, home, journal } = sandbox.paths;
    const refused = [
      '',
      '/',
      'relative',
      '/etc/passwd',
      workspace,
      `${workspace}/`,
      `${workspace}/../home/x`,
      `${workspace}/a/../../../etc/passwd`,
      `${home}//x`,
      `${home}/./x`,
      `${journal}/..`,
      `${journal}x/y`,
      `${journal}/a\0b`,
      `${journal}/${'x'.repeat(300)}`,
    ];
    for (const path of refused) {
      await rejects(sandbox.writeFile(path, Buffer.from('x')), 'invalid_params');
      await rejects(sandbox.readFrom(path, 0, 1), 'invalid_params');
      await rejects(sandbox.wake(path), 'invalid_params');
      assert.throws(() => sandbox.watch(path, () => {}), SandpiperError);
    }
  });

  it('never leaves the sandbox whatever the path', async function () {
    this.timeout(60_000);
    const sandbox = await fixture.create();
    const outside = join(fixture.host, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await sandbox.exec(
      ['sh', '-c', `ln -s ${outside} out; ln -s / root; ln -s .. up; mkdir dir; ln -s ${outside}/secret f`],
      {
        timeoutMs: TIMEOUT_MS,
      },
    );
    const part = fc.constantFrom('out', 'root', 'up', 'dir', 'f', '..', '.', '', 'secret', 'etc', 'passwd', 'new');
    const places = [sandbox.paths.workspace, sandbox.paths.home, outside];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.array(part, { maxLength: 5 }), async (place, parts) => {
        const path = [place, ...parts].join('/');
        const read = await sandbox.readFrom(path, 0, 100).catch(() => ({ data: Buffer.alloc(0) }));
        assert.notEqual(read.data.toString(), 'secret');
        assert.ok(!read.data.includes('root:'));
        await sandbox.writeFile(path, Buffer.from('overwritten')).catch(() => {});
        assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret');
        await assert.rejects(readFile(join(outside, 'new')));
      }),
      { numRuns: fixture.expectations.costlyCalls === true ? 40 : 300 },
    );
  });
}

function plantedCases(fixture: SandboxFixture): void {
  it('does not follow links', async () => {
    const sandbox = await fixture.create();
    const { workspace } = sandbox.paths;
    await writeFile(join(fixture.host, 'precious'), 'precious');
    await mkdir(join(fixture.host, 'folder'));
    const plant = `ln -s ${fixture.host}/precious file; ln -s ${fixture.host}/folder folder; ln -s /etc/shadow shadow; ln -s gone dangling`;
    await sandbox.exec(['sh', '-c', plant], { timeoutMs: TIMEOUT_MS });
    for (const name of ['file', 'shadow', 'dangling', 'folder/x']) {
      assert.deepEqual(await sandbox.readFrom(`${workspace}/${name}`, 0, 99), { data: Buffer.alloc(0), missing: true });
    }
    await rejects(sandbox.writeFile(`${workspace}/folder/x`, Buffer.from('x')), 'invalid_params');
    await sandbox.writeFile(`${workspace}/file`, Buffer.from('own'));
    assert.equal((await sandbox.readFrom(`${workspace}/file`, 0, 9)).data.toString(), 'own');
    assert.equal(await readFile(join(fixture.host, 'precious'), 'utf8'), 'precious');
    await fixture.provider.destroy(sandbox.ref);
    assert.equal(await readFile(join(fixture.host, 'precious'), 'utf8'), 'precious');
  });

  it('does not follow a link that appears between two steps', async () => {
    const sandbox = await fixture.create();
    const { workspace } = sandbox.paths;
    await mkdir(join(fixture.host, 'folder'));
    await writeFile(join(fixture.host, 'folder', 'file'), 'secret');
    const flip = `mkdir real; echo own > real/file; while :; do ln -s ${fixture.host}/folder d; rm d; mv real d; mv d real; done`;
    await sandbox.start('flip', ['sh', '-c', flip], { cwd: workspace, env: {} });
    const seen = new Set<string>();
    const deadline = Date.now() + 1500;
    while (Date.now() < deadline) {
      seen.add((await sandbox.readFrom(`${workspace}/d/file`, 0, 99)).data.toString());
      await sandbox.writeFile(`${workspace}/d/other`, Buffer.from('x')).catch(() => {});
    }
    assert.ok(!seen.has('secret'));
    assert.deepEqual(await readFile(join(fixture.host, 'folder', 'other')).catch(() => undefined), undefined);
  });

  it('neither waits for a FIFO nor reads devices, folders or the whole of a sparse file', async () => {
    const sandbox = await fixture.create();
    const { workspace } = sandbox.paths;
    await sandbox.exec(['sh', '-c', 'mkfifo fifo; mkdir folder; truncate -s 4T sparse'], { timeoutMs: TIMEOUT_MS });
    for (const name of ['fifo', 'folder', 'fifo/x']) {
      assert.equal((await sandbox.readFrom(`${workspace}/${name}`, 0, 99)).missing, true);
    }
    assert.equal((await sandbox.readFrom(`${workspace}/sparse`, 2 ** 41, 1000)).data.length, 1000);
    await sandbox.writeFile(`${workspace}/fifo`, Buffer.from('a file again'));
    assert.equal((await sandbox.readFrom(`${workspace}/fifo`, 0, 99)).data.toString(), 'a file again');
    await rejects(sandbox.writeFile(`${workspace}/folder`, Buffer.from('x')), 'invalid_params');
  });
}

function noticeCases(fixture: SandboxFixture): void {
  it('tells soon that a file came or grew, also when not even its folder was there', async () => {
    const sandbox = await fixture.create();
    const path = `${sandbox.paths.journal}/later/out`;
    let calls = 0;
    const watch = sandbox.watch(path, () => calls++);
    try {
      await sandbox.writeFile(path, Buffer.from('one'));
      await eventually(() => assert.ok(calls > 0));
      for (let round = 0; round < 5; round++) {
        const before = calls;
        await sandbox.exec(['sh', '-c', `echo more >> ${path}`], { timeoutMs: TIMEOUT_MS });
        await eventually(() => assert.ok(calls > before));
      }
      await sandbox.exec(['rm', '-r', `${sandbox.paths.journal}/later`], { timeoutMs: TIMEOUT_MS });
      await sandbox.writeFile(path, Buffer.from('new folder'));
      const before = calls;
      await sandbox.exec(['sh', '-c', `echo more >> ${path}`], { timeoutMs: TIMEOUT_MS });
      await eventually(() => assert.ok(calls > before));
    } finally {
      watch.dispose();
      watch.dispose();
    }
    const after = calls;
    await sandbox.exec(['sh', '-c', `echo more >> ${path}`], { timeoutMs: TIMEOUT_MS });
    await sandbox.exec(['sleep', '0.3'], { timeoutMs: TIMEOUT_MS });
    assert.equal(calls, after);
  });

  it('wakes the reader of a FIFO, and does no harm without one', async () => {
    const sandbox = await fixture.create();
    const { workspace } = sandbox.paths;
    const script = `mkfifo fifo; exec 3<>fifo; echo ready > ready; read -r line <&3; echo "[$line]" > got; sleep 100`;
    await sandbox.start('reader', ['sh', '-c', script], { cwd: workspace, env: {} });
    await eventually(async () => assert.equal(await text(sandbox, 'ready'), 'ready\n'));
    await sandbox.wake(`${workspace}/fifo`);
    await eventually(async () => assert.equal(await text(sandbox, 'got'), '[]\n'));
    for (let i = 0; i < (fixture.expectations.costlyCalls === true ? 30 : 70_000); i++) {
      await sandbox.wake(`${workspace}/fifo`);
    }
    await sandbox.kill('reader');
    await sandbox.wake(`${workspace}/fifo`);
    await sandbox.wake(`${workspace}/missing`);
    await sandbox.wake(`${workspace}/ready`);
    assert.equal(await text(sandbox, 'ready'), 'ready\n');
  });
}

async function text(sandbox: Sandbox, name: string): Promise<string> {
  return (await sandbox.readFrom(`${sandbox.paths.workspace}/${name}`, 0, 100)).data.toString();
}
