import { closeSync, constants, fstatSync, lchownSync, mkdirSync, openSync } from 'node:fs';
import type { Located } from './insidePath.ts';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const HAS_DESCRIPTOR_PATHS = process.platform === 'linux';

/**
 * An open folder that a hostile sandbox writes to. Names in it are reached through the descriptor, one at a time and
 * without following links, so a component that becomes a link between two steps leads nowhere. Node has no `openat`;
 * /proc/self/fd serves on Linux. Elsewhere the path is used: there a sandbox has isolation `none` and may do what the
 * relay may, so links are a mistake and not an attack.
 */
export class SafeFolder {
  readonly #descriptor: number;
  readonly #path: string;

  private constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = HAS_DESCRIPTOR_PATHS ? `/proc/self/fd/${descriptor}` : path;
  }

  /**
   * Opens the folder that holds `located`. Synchronous: it is a few system calls on a local disk, made for every read of
   * a journal, and none of them can block on what a sandbox puts there.
   * @throws the error of the system, ENOENT, ENOTDIR or ELOOP, at the first component that is not a real folder
   */
  static openParent(located: Located, options: { create: boolean; owner?: Owner | undefined }): SafeFolder {
    let folder = new SafeFolder(openSync(located.root.host, FOLDER), located.root.host);
    for (const name of located.components.slice(0, -1)) {
      try {
        const inner = folder.#openFolder(name, options);
        folder.close();
        folder = inner;
      } catch (error) {
        folder.close();
        throw error;
      }
    }
    return folder;
  }

  /** A path for one system call that does not follow links (open with O_NOFOLLOW, rename, unlink, lstat). */
  pathOf(name: string): string {
    return `${this.#path}/${name}`;
  }

  /** The folder itself, for what takes a path; good until it is closed. */
  get path(): string {
    return this.#path;
  }

  /** Tells it from another folder that comes in its place. */
  get identity(): string {
    const { dev, ino } = fstatSync(this.#descriptor);
    return `${dev}:${ino}`;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #openFolder(name: string, { create, owner }: { create: boolean; owner?: Owner | undefined }): SafeFolder {
    const path = this.pathOf(name);
    if (create) {
      try {
        mkdirSync(path, { mode: 0o755 });
        if (owner) {
          lchownSync(path, owner.uid, owner.gid);
        }
      } catch (error) {
        if (!hasErrorCode(error, 'EEXIST')) {
          throw error;
        }
      }
    }
    return new SafeFolder(openSync(path, FOLDER), path);
  }
}

/** Whose the files are to be that the relay makes, where that is not its own user. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Whether an error of the system has one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
