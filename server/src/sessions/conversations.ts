import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../sandboxes/provider.ts';

const CHUNK_BYTES = 1 << 20;
/** How much of what is here already must still be there, so that the rest is its continuation. */
const OVERLAP_BYTES = 4096;
const NEWLINE = 10;

/**
 * The relay's copies of what the agents remember: one growing file of lines a session. With it a conversation goes on in
 * another sandbox when its own is lost.
 */
export class Conversations {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Brings the copy up to the file in the sandbox. Reads only what is new. Returns its size; 0 when there is none. */
  async save(sessionId: string, sandbox: Sandbox, path: string): Promise<number> {
    const { missing } = await sandbox.readFrom(path, 0, 1);
    if (missing) {
      return 0;
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#pathOf(sessionId), 'a+', 0o600);
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
  async size(sessionId: string): Promise<number> {
    return (await stat(this.#pathOf(sessionId)).catch(() => undefined))?.size ?? 0;
  }

  /** Writes the copy into a sandbox. False when there is none. */
  async restore(sessionId: string, sandbox: Sandbox, path: string): Promise<boolean> {
    const file = await open(this.#pathOf(sessionId), 'r').catch(() => undefined);
    if (!file) {
      return false;
    }
    try {
      const content = await file.readFile();
      // A relay that was killed while it copied may have half a line.
      const whole = content.subarray(0, content.lastIndexOf(NEWLINE) + 1);
      if (whole.length > 0) {
        await sandbox.writeFile(path, whole, { mode: 0o600 });
      }
      return whole.length > 0;
    } finally {
      await file.close();
    }
  }

  async remove(sessionId: string): Promise<void> {
    await rm(this.#pathOf(sessionId), { force: true });
  }

  #pathOf(sessionId: string): string {
    return join(this.#folder, `${sessionId}.jsonl`);
  }
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
