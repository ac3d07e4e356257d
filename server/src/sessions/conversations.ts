import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../sandboxes/provider.ts';

const CHUNK_BYTES = 1 << 20;
/** How much of what is here already must still be there, so that the rest is its continuation. */
const OVERLAP_BYTES = 4096;
const NEWLINE = 10;

/**
 * The relay's copies of what the agents remember: one growing file of lines a conversation, of which a session has one more
 * with every restore. With it a conversation goes on in another sandbox when its own is lost.
 */
export class Conversations {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Brings the copy up to the file in the sandbox. Reads only what is new. Returns its size; 0 when there is none. */
  async save(name: string, sandbox: Sandbox, path: string): Promise<number> {
    const { missing } = await sandbox.readFrom(path, 0, 1);
    if (missing) {
      return 0;
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#pathOf(name), 'a+', 0o600);
    try {
      let offset = (await file.stat()).size;
      if (!(await continues(file, offset, sandbox, path))) {
        await file.truncate(0);
        offset = 0;
      }
      for (;;) {
        const { data } = await sandbox.readFrom(path, offset, CHUNK_BYTES);
        if (data.length === 0) {
          return offset;
        }
        await file.appendFile(data);
        offset += data.length;
      }
    } finally {
      await file.close();
    }
  }

  /** Bytes of the copy. */
  async size(name: string): Promise<number> {
    return (await stat(this.#pathOf(name)).catch(() => undefined))?.size ?? 0;
  }

  /** The copy, in whole lines. Undefined when there is none. */
  async read(name: string): Promise<Buffer | undefined> {
    const content = await readFile(this.#pathOf(name)).catch(() => undefined);
    // A relay that was killed while it copied may have half a line.
    const whole = content?.subarray(0, content.lastIndexOf(NEWLINE) + 1);
    return whole && whole.length > 0 ? whole : undefined;
  }

  /** Begins a copy with what is not in a sandbox yet. */
  async write(name: string, content: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(name);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  /** Every copy with the session that it is of. */
  async list(now: number): Promise<{ sessionId: string; bytes: number; ageMs: number }[]> {
    const files = await readdir(this.#folder).catch(() => []);
    const found = files.map(async file => {
      const seen = await stat(join(this.#folder, file)).catch(() => undefined);
      const sessionId = file.split('.')[0] ?? '';
      return seen ? [{ sessionId, bytes: seen.size, ageMs: now - seen.mtimeMs }] : [];
    });
    return (await Promise.all(found)).flat();
  }

  /** Removes every conversation of a session. */
  async remove(sessionId: string): Promise<void> {
    for (const file of await readdir(this.#folder).catch(() => [])) {
      if (file.startsWith(`${sessionId}.`)) {
        await rm(join(this.#folder, file), { force: true });
      }
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}.jsonl`);
  }
}

/** The name of a conversation's copy. @param conversation as in `SessionState` */
export function conversationName(sessionId: string, conversation: string | undefined): string {
  return conversation === undefined ? sessionId : `${sessionId}.${conversation}`;
}

/** Whether the file in the sandbox begins with what the copy has, as far as its end tells. */
async function continues(
  file: { read(buffer: Buffer, offset: number, length: number, position: number): Promise<unknown> },
  size: number,
  sandbox: Sandbox,
  path: string,
): Promise<boolean> {
  const length = Math.min(size, OVERLAP_BYTES);
  const ours = Buffer.alloc(length);
  await file.read(ours, 0, length, size - length);
  const { data } = await sandbox.readFrom(path, size - length, length);
  return data.equals(ours);
}
