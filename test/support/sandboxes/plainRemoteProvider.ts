import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { SOLE_OWNER } from '../../../server/src/core/ownership.ts';
import type { CreateSpec, Sandbox, SandboxProvider, SandboxRef } from '../../../server/src/sandboxes/provider.ts';
import { RemoteSandbox } from '../../../server/src/sandboxes/remote/remoteSandbox.ts';
import type { RemoteDriver } from '../../../server/src/sandboxes/remote/remoteDriver.ts';
import { requireConsent } from '../../../server/src/sandboxes/local/createChecks.ts';
import { removeTree } from '../../../server/src/sandboxes/local/removeTree.ts';
import { runContained } from '../../../server/src/sandboxes/local/runContained.ts';
import { Turns } from '../../../server/src/sandboxes/turns.ts';

const PATH = process.env['PATH'] ?? '';

/** Sandboxes that are folders, reached by nothing but running programs: what every vendor can do. Isolates nothing. */
export function plainRemoteProvider(storage: string): SandboxProvider {
  const turns = new Turns();
  const folderOf = (id: string) => join(storage, id);
  const open = (id: string, mark: string): RemoteSandbox => {
    const folder = folderOf(id);
    const at = (name: string) => join(folder, name);
    return new RemoteSandbox({
      ref: { provider: 'plain', id },
      isolation: 'none',
      paths: { workspace: at('workspace'), home: at('home'), journal: at('journal'), relay: at('relay') },
      hostMounts: false,
      modelSocket: false,
      driver: driverIn(folder),
      path: PATH,
      mark,
      ownership: SOLE_OWNER,
      turns,
    });
  };
  const attach = async ({ id }: SandboxRef): Promise<RemoteSandbox> => {
    const mark = /^p[0-9a-f]{20}$/.test(id)
      ? await readFile(join(folderOf(id), 'mark'), 'utf8').catch(() => undefined)
      : undefined;
    if (mark === undefined) {
      throw gone(id);
    }
    return open(id, mark);
  };
  return {
    id: 'plain',
    probe: async () => ({
      available: true,
      capabilities: { isolation: 'none', hostMounts: false, modelSocket: false },
    }),
    create: async (spec: CreateSpec): Promise<Sandbox> => {
      requireConsent(spec, 'nothing isolates.', undefined);
      const id = `p${createHash('sha1').update(spec.key).digest('hex').slice(0, 20)}`;
      await mkdir(storage, { recursive: true });
      const aside = await mkdtemp(join(storage, '.new-'));
      await Promise.all(['workspace', 'home', 'journal', 'relay'].map(name => mkdir(join(aside, name))));
      await writeFile(join(aside, 'mark'), `${id}/${randomUUID()}`);
      await writeFile(join(aside, 'key'), spec.key);
      // Another call may have been first; its sandbox is the one.
      await rename(aside, folderOf(id)).catch(() => rm(aside, { recursive: true }));
      return attach({ provider: 'plain', id });
    },
    attach,
    list: async () => {
      const ids = (await readdir(storage).catch(() => [])).filter(name => name.startsWith('p'));
      return Promise.all(
        ids.map(async id => ({ provider: 'plain', id, key: await readFile(join(folderOf(id), 'key'), 'utf8') })),
      );
    },
    destroy: async ref => {
      const sandbox = await attach(ref).catch(() => undefined);
      if (sandbox) {
        await sandbox.killAll();
        await removeTree(folderOf(ref.id));
      }
    },
  };
}

function driverIn(folder: string): RemoteDriver {
  return {
    run: async (argv, { env, stdin, maxOutputBytes, signal }) => {
      if (!existsSync(join(folder, 'mark'))) {
        throw gone(folder);
      }
      const [file = '', ...args] = argv;
      const result = await new Promise<Awaited<ReturnType<typeof runContained>>>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        runContained({
          file,
          args,
          cwd: '/',
          env,
          stdin,
          timeoutMs: 600_000,
          maxOutputBytes,
          kill: async () => {},
        }).then(resolve, reject);
      });
      const { code, stdout, stderr } = result;
      return { code, stdout, stderr };
    },
  };
}

function gone(id: string): SandpiperError {
  return new SandpiperError('sandbox_gone', `The sandbox ${id} no longer exists.`);
}
