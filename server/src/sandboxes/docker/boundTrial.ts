import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../local/removeTree.ts';
import { containerOptions, LABEL, type ContainerLimits } from './containerOptions.ts';
import type { DockerEngine } from './dockerEngine.ts';
import type { User } from './sandboxFolders.ts';

const TIMEOUT_MS = 30_000;

/**
 * Whether the engine's containers see this machine's files as the relay does: both can read and write what the other made.
 * False for engines elsewhere, in a virtual machine, or that give users other numbers.
 */
export async function tryBinding(
  engine: DockerEngine,
  {
    root,
    relay,
    image,
    user,
    limits,
  }: { root: string; relay: string; image: string; user: User; limits: ContainerLimits },
): Promise<boolean> {
  const name = `sandpiper-trial-${randomUUID()}`;
  const folder = join(root, `.new-${randomUUID()}`);
  const shared = join(folder, 'shared');
  const nonce = randomUUID();
  try {
    await mkdir(shared, { recursive: true, mode: 0o711 });
    await writeFile(join(shared, 'asked'), nonce);
    if (process.getuid?.() === 0) {
      await chown(shared, user.uid, user.gid);
    }
    const plan = {
      image,
      user,
      labels: { [LABEL.relay]: relay, [LABEL.createdAt]: String(Date.now()) },
      limits,
      bound: { writable: [{ hostPath: shared, path: '/shared' }], readOnly: [] },
      network: undefined,
    };
    await engine.create(name, containerOptions(plan));
    await engine.start(name);
    const script = 'umask 077; mkdir /shared/made && cat /shared/asked > /shared/made/answer';
    const done = await engine.exec(name, ['sh', '-c', script], {
      env: {},
      stdin: undefined,
      maxOutputBytes: 65_536,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await readFile(join(shared, 'made', 'answer'), 'utf8').catch(() => '');
    return done?.code === 0 && answer === nonce;
  } finally {
    await engine.remove(name).catch(() => {});
    await removeTree(folder).catch(() => {});
  }
}
