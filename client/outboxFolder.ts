import { mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inOrder } from '../protocol/outbox.ts';
import type { OutboxEntry, OutboxStatus } from '../protocol/outbox.ts';
import { parseOutboxEntry } from '../protocol/outboxSchema.ts';
import type { OutboxStorage } from '../protocol/outboxSender.ts';

import { isRecord } from '../protocol/isRecord.ts';

const FILE = /^(key_[0-9a-z]{26})\.(waiting|sending|refused)\.json$/;
type StoredStatus = 'waiting' | 'sending' | 'refused';
/** When a crash left two files of one entry, the one that says more about it holds. */
const PRECEDENCE: readonly StoredStatus[] = ['refused', 'sending', 'waiting'];

/**
 * The outbox as a folder: a file an entry, whose name ends with its status. A name changes with one rename, so of several
 * windows on one folder exactly one sends or takes back an entry. Files are synced before they count.
 */
export class OutboxFolder implements OutboxStorage {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Files that are no entries are left alone and left out. */
  async load(): Promise<OutboxEntry[]> {
    const names = await readdir(this.#folder).catch(ignoreMissing);
    const found = new Map<string, OutboxEntry>();
    for (const status of PRECEDENCE) {
      for (const name of names ?? []) {
        const [, key, kind] = FILE.exec(name) ?? [];
        if (key !== undefined && kind === status && !found.has(key)) {
          const entry = parseOutboxEntry(await readFile(join(this.#folder, name), 'utf8').catch(ignoreMissing), status);
          if (entry?.key === key) {
            found.set(key, entry);
          }
        }
      }
    }
    return inOrder(found.values());
  }

  async add(entry: OutboxEntry): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#write(entry);
  }

  async move(entry: OutboxEntry, status: OutboxStatus): Promise<boolean> {
    const next = { ...entry, status };
    if (status.kind === 'sending') {
      try {
        await rename(this.#file(entry), this.#file(next));
      } catch (thrown) {
        return ignoreMissing(thrown) ?? false;
      }
      await syncFolder(this.#folder);
      return true;
    }
    // The status brings a reason with it: the new file stands before the old one goes.
    await this.#write(next);
    return entry.status.kind === status.kind || this.remove(entry);
  }

  async remove(entry: OutboxEntry): Promise<boolean> {
    try {
      await unlink(this.#file(entry));
    } catch (thrown) {
      return ignoreMissing(thrown) ?? false;
    }
    await syncFolder(this.#folder);
    return true;
  }

  #file({ key, status }: OutboxEntry): string {
    return join(this.#folder, `${key}.${status.kind}.json`);
  }

  async #write(entry: OutboxEntry): Promise<void> {
    const file = this.#file(entry);
    const part = `${file}.${process.pid}.part`;
    try {
      const handle = await open(part, 'w', 0o600);
      try {
        await handle.writeFile(JSON.stringify(entry));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(part, file);
    } catch (thrown) {
      await rm(part, { force: true });
      throw thrown;
    }
    await syncFolder(this.#folder);
  }
}

/** Makes renames in a folder last over a power cut, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreMissing(thrown: unknown): undefined {
  if (!isRecord(thrown) || thrown['code'] !== 'ENOENT') {
    throw thrown;
  }
}
