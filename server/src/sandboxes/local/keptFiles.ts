import { closeSync } from 'node:fs';

/** Of the whole process; files beyond it are opened for every read. */
const MAX_OPEN = 2000;
/** Windows does not remove a file that is open, nor its folder. */
const CAN_KEEP = process.platform !== 'win32';

let open = 0;

/**
 * The files of a sandbox that are followed, kept open between two reads: to reach one safely takes a dozen system calls, and
 * an agent's output is read for every line of it. Whoever follows a file says when another one may stand in its place.
 * Descriptors are to be used at once: after a turn of the event loop one may be closed.
 */
export class KeptFiles {
  readonly #files = new Map<string, { followers: number; descriptor: number | undefined }>();

  follow(path: string): void {
    const file = this.#files.get(path);
    if (file) {
      file.followers++;
    } else {
      this.#files.set(path, { followers: 1, descriptor: undefined });
    }
  }

  unfollow(path: string): void {
    const file = this.#files.get(path);
    if (file && --file.followers === 0) {
      this.forget(path);
      this.#files.delete(path);
    }
  }

  get(path: string): number | undefined {
    return this.#files.get(path)?.descriptor;
  }

  /** Takes over a descriptor, to keep or to close it. */
  keep(path: string, descriptor: number): void {
    const file = this.#files.get(path);
    if (file && file.descriptor === undefined && open < MAX_OPEN && CAN_KEEP) {
      file.descriptor = descriptor;
      open++;
    } else {
      closeSync(descriptor);
    }
  }

  /** The next read opens it anew. */
  forget(path: string): void {
    const file = this.#files.get(path);
    if (file?.descriptor !== undefined) {
      closeSync(file.descriptor);
      file.descriptor = undefined;
      open--;
    }
  }
}
