import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SandpiperError } from '../../../protocol/errors.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import { decodeManifest, encodeManifest, savedSandboxSchema, type Manifest } from './manifest.ts';
import { syncFolder } from '../core/syncFolder.ts';
import { PartStore } from './partStore.ts';

const foreignSchema = z.object({
  sandbox: z.object({ provider: z.string(), id: z.string() }),
  key: z.string(),
  expiresAt: z.number(),
  saved: savedSandboxSchema,
});
/** What was in a sandbox of no known session: of another store, or one that was put back to an older state. */
export type ForeignSandbox = z.infer<typeof foreignSchema>;

/** Deleted sessions, each a manifest that names parts. */
export class Archives {
  readonly parts: PartStore;
  readonly #folder: string;
  readonly #foreign: string;

  private constructor(folder: string, foreign: string, parts: PartStore) {
    this.#folder = folder;
    this.#foreign = foreign;
    this.parts = parts;
  }

  /** @param folder made (mode 0700) where it is missing */
  static async open(folder: string): Promise<Archives> {
    const manifests = join(folder, 'sessions');
    const foreign = join(folder, 'sandboxes');
    await mkdir(manifests, { recursive: true, mode: 0o700 });
    await mkdir(foreign, { recursive: true, mode: 0o700 });
    return new Archives(manifests, foreign, await PartStore.open(folder));
  }

  /** Durable when it resolves: from then on the session can be brought back. */
  async write(manifest: Manifest): Promise<void> {
    await this.#write(this.#file(manifest.sessionId), encodeManifest(manifest));
  }

  /** Undefined when there is none. @throws `internal` when it is damaged */
  async read(sessionId: string): Promise<Manifest | undefined> {
    const text = await readFile(this.#file(sessionId), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : decodeManifest(text);
  }

  /** All that can be read, the latest first, and the names of those that cannot. */
  async list(): Promise<{ manifests: Manifest[]; damaged: string[] }> {
    const manifests: Manifest[] = [];
    const unreadable: string[] = [];
    for (const name of await readdir(this.#folder)) {
      const sessionId = name.replace(/\.json$/, '');
      const manifest = await this.read(sessionId).catch(() => undefined);
      if (manifest) {
        manifests.push(manifest);
      } else {
        unreadable.push(sessionId);
      }
    }
    return { manifests: manifests.sort((one, other) => other.deletedAt - one.deletedAt), damaged: unreadable };
  }

  /** Its parts stay until they are swept. */
  async remove(sessionId: string): Promise<void> {
    await rm(this.#file(sessionId), { force: true });
  }

  async #write(file: string, text: string): Promise<void> {
    const draft = this.parts.scratchFile();
    try {
      const handle = await open(draft, 'wx', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
      await syncFolder(dirname(file));
    } catch (error) {
      await rm(draft, { force: true });
      throw explainDiskFull(error);
    }
  }

  /** Keeps what was in a sandbox of no known session; durable when it resolves. */
  async writeForeign(foreign: ForeignSandbox): Promise<void> {
    await this.#write(join(this.#foreign, `${foreign.sandbox.id}.json`), `${JSON.stringify(foreign)}\n`);
  }

  /** What is kept of sandboxes of no known session. */
  async listForeign(): Promise<ForeignSandbox[]> {
    const found = [];
    for (const name of await readdir(this.#foreign)) {
      const parsed = foreignSchema.safeParse(JSON.parse(await readFile(join(this.#foreign, name), 'utf8')));
      if (parsed.success) {
        found.push(parsed.data);
      }
    }
    return found;
  }

  async removeForeign(sandboxId: string): Promise<void> {
    await rm(join(this.#foreign, `${sandboxId}.json`), { force: true });
  }

  #file(sessionId: string): string {
    if (!/^ses_[0-9a-z]{26}$/.test(sessionId)) {
      throw new SandpiperError('invalid_params', 'That is not the id of a session.');
    }
    return join(this.#folder, `${sessionId}.json`);
  }
}
