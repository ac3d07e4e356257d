import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { targets } from '../../esbuild.mjs';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { DaytonaEmulator } from '../support/vendors/daytona/daytonaEmulator.ts';
import { E2bEmulator } from '../support/vendors/e2b/e2bEmulator.ts';
import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';

const run = promisify(execFile);

/** SDKs load parts of themselves by names that a bundler does not see. */
describe('the clients of vendors in the bundle', function () {
  this.timeout(60_000);
  let folder = '';

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'the clients of vendors in the bundle', why === undefined, why ?? '');
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-bundle-'));
    const entryPoints = [join(import.meta.dirname, '../support/vendors/bundledProvider.ts')];
    await build({ ...targets.server, entryPoints, outdir: folder, sourcemap: false });
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const answerOf = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await run(process.execPath, [join(folder, 'bundledProvider.mjs'), ...args], { cwd: folder });
    return JSON.parse(stdout);
  };

  it('reach E2B', async () => {
    const emulator = await E2bEmulator.start();
    try {
      assert.deepEqual(await answerOf('e2b', emulator.apiKey, emulator.url), { read: 'bcabcabcab' });
    } finally {
      await emulator.close();
    }
  });

  it('reach Daytona', async () => {
    const emulator = await DaytonaEmulator.start();
    try {
      assert.deepEqual(await answerOf('daytona', emulator.apiKey, `${emulator.url}/api`), { read: 'bcabcabcab' });
    } finally {
      await emulator.close();
    }
  });

  it('reach Kubernetes', async () => {
    const emulator = await KubernetesEmulator.start();
    try {
      assert.deepEqual(await answerOf('kubernetes', emulator.apiKey, emulator.kubeconfig()), { read: 'bcabcabcab' });
    } finally {
      await emulator.close();
    }
  });
});
