import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INSIDE } from '../local/bubblewrap.ts';
import { sandboxGone, toSandboxError } from '../local/localErrors.ts';
import { removeTree } from '../local/removeTree.ts';
import { hasErrorCode } from '../local/safeFolder.ts';
import { isSandboxId } from '../local/sandboxId.ts';
import type { Mount } from '../provider.ts';
import { readContainerRecord, writeContainerRecord, type ContainerRecord } from './containerRecord.ts';

/** What the sandbox writes to, where the engine sees this machine's files. */
export const WRITABLE = ['workspace', 'home', 'journal'] as const;
const RECORDS = 'relay';
/** Being made, and being removed: not sandboxes. */
const NEW = '.new-';
const TRASH = '.trash-';
const RELAY_ID = 'relay-id';

export interface User {
  uid: number;
  gid: number;
}

/** The folder of all containers' sandboxes, one folder each; the relay's alone. */
export class SandboxFolders {
  readonly #path: string;
  #root: Promise<string> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** With every link in its own path resolved: what is below has none. */
  root(): Promise<string> {
    this.#root ??= mkdir(this.#path, { recursive: true, mode: 0o700 })
      .then(async () => realpath(this.#path))
      .catch((error: unknown) => {
        this.#root = undefined;
        throw toSandboxError(error, 'The folder of the sandboxes could not be made');
      });
    return this.#root;
  }

  /** Tells the containers of this data folder from those of others on the same engine. */
  async relayId(): Promise<string> {
    const file = join(await this.root(), RELAY_ID);
    const known = await readFile(file, 'utf8').catch(() => undefined);
    if (known !== undefined && known !== '') {
      return known;
    }
    await writeFile(file, randomUUID(), { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      // Another call was first.
      if (!hasErrorCode(error, 'EEXIST')) {
        throw error;
      }
    });
    return readFile(file, 'utf8');
  }

  async of(id: string): Promise<string> {
    return join(await this.root(), id);
  }

  records(folder: string): string {
    return join(folder, RECORDS);
  }

  async record(id: string): Promise<ContainerRecord | undefined> {
    return readContainerRecord(this.records(await this.of(id)));
  }

  async ids(): Promise<string[]> {
    return (await readdir(await this.root())).filter(isSandboxId);
  }

  /** Makes the folder aside and puts it in place whole; the record that another call made meanwhile wins. */
  async make(id: string, record: ContainerRecord, user: User): Promise<ContainerRecord> {
    const aside = join(await this.root(), `${NEW}${randomUUID()}`);
    try {
      // The sandbox's user must pass through to its own folders where it is not the relay's.
      await mkdir(aside, { mode: 0o711 });
      await mkdir(join(aside, RECORDS), { mode: 0o700 });
      for (const name of WRITABLE) {
        await mkdir(join(aside, name), { mode: 0o700 });
        if (process.getuid?.() === 0) {
          await chown(join(aside, name), user.uid, user.gid);
        }
      }
      await writeContainerRecord(join(aside, RECORDS), record);
      await chmod(aside, 0o711);
      await rename(aside, await this.of(id));
      return record;
    } catch (error) {
      await removeTree(aside);
      const other = await this.record(id);
      if (other === undefined || !hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) {
        throw toSandboxError(error, 'The sandbox could not be made');
      }
      return other;
    }
  }

  /** @throws `sandbox_gone` */
  async update(id: string, record: ContainerRecord): Promise<ContainerRecord> {
    const folder = this.records(await this.of(id));
    if ((await readContainerRecord(folder)) === undefined) {
      throw sandboxGone(id);
    }
    await writeContainerRecord(folder, record);
    return record;
  }

  /** Lists of users for images that do not know the one that programs run as. */
  async userFiles({ uid, gid }: User): Promise<Mount[]> {
    const folder = join(await this.root(), 'etc');
    const files = {
      passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:${uid}:${gid}:agent:${INSIDE.home}:/bin/sh\n`,
      group: `root:x:0:\nagent:x:${gid}:\n`,
    };
    await mkdir(folder, { recursive: true, mode: 0o711 });
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
        await writeFile(path, text);
      }
    }
    return Object.keys(files).map(name => ({ hostPath: join(folder, name), path: `/etc/${name}` }));
  }

  /** From here on nothing can be started in it. @returns whether it was there */
  async discard(id: string): Promise<boolean> {
    try {
      await rename(await this.of(id), join(await this.root(), `${TRASH}${id}-${randomUUID()}`));
      return true;
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) {
        return false;
      }
      throw toSandboxError(error, 'The sandbox could not be removed');
    }
  }

  /** Removes what was discarded: of one sandbox, or of all. */
  async clear(id = ''): Promise<void> {
    const root = await this.root();
    for (const name of await readdir(root)) {
      if (name.startsWith(`${TRASH}${id}`)) {
        await removeTree(join(root, name)).catch((error: unknown) => {
          throw toSandboxError(error, 'The sandbox could not be removed');
        });
      }
    }
  }

  /** Forgets what was only begun. For the start of a relay: nothing is being made then. */
  async forgetHalves(): Promise<void> {
    const root = await this.root();
    for (const name of (await readdir(root)).filter(entry => entry.startsWith(NEW))) {
      await removeTree(join(root, name));
    }
  }
}
