import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '../../server/src/core/log.ts';
import { findProgram } from '../../server/src/sandboxes/local/bubblewrapHost.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';
import { eventually } from '../support/eventually.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { sandboxSuite } from './sandboxSuite.ts';

const run = promisify(execFile);
const NOBODY = 65534;
const path = process.env['PATH'] ?? '';

describe('local sandboxes', () => {
  describe('with bubblewrap', () => {
    before(async function () {
      const probe = await createLocalProvider({ folder: '', log: silentLogger, path }).probe();
      const isolated = probe.capabilities.isolation === 'process';
      requireOrSkip(this, 'local sandbox, isolation process', isolated, probe.reason ?? '');
    });

    suiteFor('linux', 'process');

    it('works for a relay of an ordinary user too', async function () {
      const root = process.getuid?.() === 0 && (await findProgram('setpriv', path)) !== undefined;
      requireOrSkip(this, 'local sandbox of an ordinary user', root, 'only root with setpriv can become another user');
      const folder = await mkdtemp(join(tmpdir(), 'sandpiper-user-'));
      try {
        await chown(folder, NOBODY, NOBODY);
        const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
        const script = join(import.meta.dirname, 'localUserRelay.ts');
        const { stdout } = await run('setpriv', [...user, process.execPath, script, join(folder, 'storage')], {
          env: { PATH: path },
        });
        assert.deepEqual(JSON.parse(stdout), {
          isolation: 'process',
          user: 'uid=1000(agent) gid=1000(agent) groups=1000(agent)',
          fromRelay: 'from the relay',
          fromSandbox: 'from the sandbox',
          closedFile: { data: '', missing: true },
          killed: true,
          left: [],
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });

  it('forgets at the start of a relay what the last one had not finished making, and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandpiper-halves-'));
    try {
      await mkdir(join(folder, '.new-half', 'clone'), { recursive: true });
      await mkdir(join(folder, 'snd_00000000000000000000000000'));
      await createLocalProvider({ folder, log: silentLogger, path }).endAbandoned?.();
      assert.deepEqual(await readdir(folder), ['snd_00000000000000000000000000']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  describe('without isolation', () => {
    before(function () {
      requireOrSkip(this, 'local sandbox, isolation none', process.platform !== 'win32', 'needs FIFOs and sh');
    });

    // As on a Mac: there nothing isolates, whatever is installed.
    suiteFor('darwin', 'none');

    it('ends what runs in a folder that somebody is removing, also when its record went first', async () => {
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'sandpiper-torn-')));
      const provider = createLocalProvider({ folder, log: silentLogger, path, platform: 'darwin' });
      try {
        const sandbox = await provider.create({ key: `ses_${randomUUID()}`, acceptNoIsolation: true, mounts: [] });
        const { workspace } = sandbox.paths;
        await sandbox.start('agent', ['sh', '-c', 'echo $$ > pid; exec sleep 600'], { cwd: workspace, env: {} });
        const pid = await eventually(async () => {
          const text = await readFile(join(workspace, 'pid'), 'utf8');
          assert.match(text, /^\d+\n$/);
          return Number(text);
        });
        assert.ok(isThere(pid));
        await rm(join(folder, sandbox.ref.id, 'relay'), { recursive: true });
        await provider.destroy(sandbox.ref);
        await eventually(() => assert.equal(isThere(pid), false));
        assert.deepEqual(await readdir(folder), []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function suiteFor(platform: NodeJS.Platform, isolation: 'process' | 'none'): void {
  sandboxSuite(
    `local, isolation ${isolation}`,
    folder => createLocalProvider({ folder, log: silentLogger, path, platform }),
    {
      isolation,
      otherRelay: (storage, key, argv) => ({
        file: process.execPath,
        args: [join(import.meta.dirname, 'localRelay.ts'), platform, storage, key, JSON.stringify(argv)],
      }),
      localProcesses: process.platform === 'linux',
    },
  );
}
