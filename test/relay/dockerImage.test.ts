import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { silentLogger } from '../../server/src/core/log.ts';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { dockerProviderOn } from '../support/docker/dockerProviderOn.ts';
import { MAIN, temporaryFolder } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';

const run = promisify(execFile);

describe('`sandpiper image`', function () {
  this.timeout(120_000);
  let engine: TestEngine;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async function () {
    const reason = whyNoEngine();
    requireOrSkip(this, 'building the image of agents', reason === undefined, reason ?? '');
    engine = await startTestEngine();
    scratch = await temporaryFolder();
  });
  after(async () => {
    await engine?.stop();
    await scratch?.remove();
  });

  const sandpiper = (...args: string[]) =>
    run(process.execPath, [MAIN, ...args], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: scratch.path,
        SANDPIPER_DATA: `${scratch.path}/data`,
        DOCKER_HOST: `unix://${engine.socket}`,
      },
    });

  // No registry and no mirror of Debian: on an image that has everything.
  it('builds an image that sandboxes are made of', async () => {
    const { stdout } = await sandpiper('image', 'build', '--base', engine.image, '--packages', '', '--name', 'made:1');
    assert.equal(stdout, 'made:1\n');
    const provider = dockerProviderOn({ socket: engine.socket, image: 'made:1' }, `${scratch.path}/storage`, {
      log: silentLogger,
    });
    const sandbox = await provider.create({ key: 'ses_1', acceptNoIsolation: false, mounts: [] });
    const { stdout: said } = await sandbox.exec(['sh', '-c', 'id -un; git --version; pwd'], { timeoutMs: 9000 });
    assert.match(said.toString(), /^agent\ngit version .*\n\/workspace\n$/);
    await provider.destroy(sandbox.ref);
  });

  it('says why it could not', async () => {
    const failing = sandpiper(
      'image',
      'build',
      '--base',
      engine.image,
      '--packages',
      'no-such-package',
      '--name',
      'x:1',
    );
    await assert.rejects(failing, /The image could not be made: .*non-zero code/);
  });

  it('shows what it would build', async () => {
    assert.match((await sandpiper('image', 'show')).stdout, /^ARG BASE=debian:[\d.]+-slim\nFROM/);
  });
});
