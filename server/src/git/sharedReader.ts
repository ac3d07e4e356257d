import { type FileAt, readFileAt } from './diff.ts';
import type { Mirror } from './mirror.ts';
import { ObjectReader } from './objectReader.ts';
import { entryAt, treeOf } from './tree.ts';

/** An editor asks for the files of a diff one by one, hundreds within a second. */
const IDLE_MS = 500;

interface Open {
  reader: ObjectReader;
  users: number;
  end: NodeJS.Timeout | undefined;
}

/** Reads files of commits through one process a mirror, which ends a moment after it was used last. */
export class SharedReader {
  readonly #maxBytes: number;
  readonly #open = new Map<string, Open>();

  /** @param maxBytes of a file; a larger one is told, not read */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async fileAt(mirror: Mirror, commit: string, path: string): Promise<FileAt> {
    const open = this.#take(mirror);
    try {
      const entry = await entryAt(open.reader, await treeOf(open.reader, commit), path);
      if (entry && /^1[02]0/.test(entry.mode)) {
        const content = await open.reader.readAs(entry.id, 'blob');
        const { mode, id: blob } = entry;
        return { exists: true, content, bytes: content.length, mode, blob, tooLarge: false };
      }
    } catch {
      // Too large, or not readable at all: the slow way knows which. What failed once does not answer again.
      this.#drop(mirror, open);
    } finally {
      this.#release(mirror, open);
    }
    return readFileAt(mirror, commit, path, this.#maxBytes);
  }

  #take(mirror: Mirror): Open {
    const known = this.#open.get(mirror.path);
    const open = known ?? { reader: new ObjectReader(mirror, this.#maxBytes), users: 0, end: undefined };
    this.#open.set(mirror.path, open);
    clearTimeout(open.end);
    open.users++;
    return open;
  }

  #release(mirror: Mirror, open: Open): void {
    open.users--;
    if (open.users === 0) {
      open.end = setTimeout(() => this.#drop(mirror, open), IDLE_MS);
      // The process ends with the relay: its input is closed then.
      open.end.unref();
    }
  }

  #drop(mirror: Mirror, open: Open): void {
    clearTimeout(open.end);
    if (this.#open.get(mirror.path) === open) {
      this.#open.delete(mirror.path);
    }
    open.reader.dispose();
  }
}
