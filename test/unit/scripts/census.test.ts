import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { noteLeftovers, takeCensus } from '../../../scripts/test/census.ts';
import { findProcesses, RUN_VARIABLE } from '../../../scripts/test/leftovers.ts';
import { eventually } from '../../support/eventually.ts';
import { requireOrSkip } from '../../support/requirement.ts';

/** Only Linux and macOS show another process's environment. */
const canSeeProcesses = process.platform !== 'win32';

describe('the census after a test layer', function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-census-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('finds nothing after a tidy layer', async () => {
    assert.deepEqual(await takeCensus('tidy', folder), []);
  });

  it('finds and removes a temporary folder of ours, and does not mind what other programs left', async () => {
    await mkdir(join(folder, 'sandpiper-test-left'));
    await mkdir(join(folder, 'other-cache'));
    assert.deepEqual(await takeCensus('folders', folder), [{ what: 'folder sandpiper-test-left' }]);
    assert.deepEqual(await takeCensus('folders', folder), []);
  });

  it('finds a FIFO and a socket, wherever they are', async function () {
    requireOrSkip(this, 'census: FIFOs and sockets', process.platform !== 'win32', 'Windows has neither');
    await mkdir(join(folder, 'deep/er'), { recursive: true });
    await promisify(execFile)('mkfifo', [join(folder, 'deep/er/fifo')]);
    const server = createServer().listen(join(folder, 'deep/socket'));
    await once(server, 'listening');
    const found = await takeCensus('files', folder);
    server.close();
    assert.deepEqual(found.map(({ what }) => what).toSorted(), ['FIFO deep/er/fifo', 'socket deep/socket']);
  });

  it('names the suite after which a thing was there first', async function () {
    requireOrSkip(this, 'census: the first suite', process.platform === 'linux', 'only Linux has /proc');
    const looks = join(folder, '..', `sandpiper-looks-${process.pid}.jsonl`);
    const of = { id: 'guilty-test', folder };
    noteLeftovers(looks, 'the tidy one', of);
    await mkdir(join(folder, 'sandpiper-left'));
    const child = spawn('sleep', ['60'], { env: { [RUN_VARIABLE]: of.id }, stdio: 'ignore' });
    const ended = once(child, 'exit');
    noteLeftovers(looks, 'the guilty one', of);
    noteLeftovers(looks, 'a later one', of);
    const found = await takeCensus(of.id, folder, 0, looks);
    await Promise.all([ended, rm(looks)]);
    const guilty = '(since the suite "the guilty one")';
    assert.deepEqual(
      found.map(({ what }) => what),
      [`sleep 60 ${guilty}`, `folder sandpiper-left ${guilty}`],
    );
  });

  it('finds a process that a sandbox hides: no environment, other paths, other process ids', async function () {
    const hides = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'true']).status === 0;
    requireOrSkip(this, 'census of sandboxes', hides, 'bubblewrap does not work here');
    await mkdir(join(folder, 'clone'));
    const binds = ['--ro-bind', '/', '/', '--bind', join(folder, 'clone'), '/mnt', '--chdir', '/mnt'];
    const child = spawn(
      'sh',
      ['-c', `exec bwrap "$@"`, 'sh', ...binds, '--unshare-pid', '--proc', '/proc', '--clearenv', '/bin/sleep', '61'],
      {
        env: { PATH: process.env['PATH'] ?? '' },
        stdio: 'ignore',
        detached: true,
      },
    );
    const ended = once(child, 'exit');
    const seen = await eventually(() => {
      const inner = findProcesses('hidden', folder).filter(({ what }) => what === '/bin/sleep 61');
      assert.equal(inner.length, 1);
      return inner;
    });
    assert.ok(seen[0]?.pidNamespace);
    const found = await takeCensus('hidden', folder, 0);
    assert.ok(found.some(({ what }) => what.startsWith('namespace of processes pid:')));
    await ended;
  });

  if (canSeeProcesses) {
    for (const { name, options } of [
      { name: 'whose environment names the run', options: () => ({ env: { [RUN_VARIABLE]: 'census-test' } }) },
      { name: "that works in the run's folder", options: () => ({ env: {}, cwd: folder }) },
    ]) {
      it(`finds and ends a process ${name}`, async () => {
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { ...options(), stdio: 'ignore' });
        const ended = once(child, 'exit');
        const [leftover] = await takeCensus('census-test', folder, 200);
        assert.equal(leftover?.pid, child.pid);
        await ended;
        assert.equal(child.signalCode, 'SIGKILL');
      });
    }
  }
});
