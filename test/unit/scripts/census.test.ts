import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_VARIABLE, takeCensus } from '../../../scripts/test/census.ts';

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
