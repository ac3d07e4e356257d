import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SCRATCH_PREFIX } from './processes.ts';
import { mountSmallDisk, type SmallDisk } from './smallDisk.ts';
import { EFFECTS_FILES } from './work.ts';

const run = promisify(execFile);

/** The folder of one run. Everything that the run makes is in it. */
export interface Scratch {
  readonly folder: string;
  readonly dataFolder: string;
  /** What the relay is told to use for temporary files. */
  readonly temporary: string;
  readonly repository: string;
  readonly clientFolder: string;
  /** The program that stands in for Claude Code. */
  readonly standIn: string;
  /** Holds the database; undefined where none can be mounted, or none was asked for. */
  readonly disk: SmallDisk | undefined;
  /** Removes it all, or what cannot stay when the rest is kept. */
  remove(keep: boolean): Promise<void>;
}

/** Makes the folder with a sample repository in it. */
export async function makeScratch(withDisk: boolean): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), SCRATCH_PREFIX));
  const dataFolder = join(folder, 'data');
  const temporary = join(folder, 'tmp');
  const repository = join(folder, 'repository');
  const clientFolder = join(folder, 'client');
  const standIn = join(folder, 'agent', 'claude');
  await Promise.all([temporary, repository, clientFolder, join(folder, 'agent')].map(path => mkdir(path)));
  await mkdir(dataFolder, { mode: 0o700 });
  // A copy: what came out of an archive may have lost the right to be run.
  await copyFile(join(import.meta.dirname, 'standIn.sh'), standIn);
  await chmod(standIn, 0o755);
  await makeRepository(repository);
  const disk = withDisk ? await mountSmallDisk(join(folder, 'disk')) : undefined;
  if (disk) {
    await writeFile(join(disk.folder, 'relay.db'), '', { mode: 0o600 });
    await symlink(join(disk.folder, 'relay.db'), join(dataFolder, 'relay.db'));
  }
  return {
    folder,
    dataFolder,
    temporary,
    repository,
    clientFolder,
    standIn,
    disk,
    remove: async keep => {
      if (disk && keep) {
        await rm(join(dataFolder, 'relay.db'));
        for (const suffix of ['', '-wal', '-shm']) {
          await copyFile(join(disk.folder, `relay.db${suffix}`), join(dataFolder, `relay.db${suffix}`)).catch(() => {});
        }
      }
      await disk?.remove();
      if (!keep) {
        await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      }
    },
  };
}

async function makeRepository(folder: string): Promise<void> {
  await writeFile(join(folder, 'README.md'), '# Chaos\n');
  for (const name of EFFECTS_FILES) {
    const lines = Array.from({ length: 12 }, (_, index) => `${name} begins ${index + 1}\n`);
    await writeFile(join(folder, name), lines.join(''));
  }
  const git = (...args: string[]) => run('git', ['-C', folder, ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('-c', 'user.name=Chaos', '-c', 'user.email=chaos@example.com', 'commit', '--quiet', '--message=Begin');
}
