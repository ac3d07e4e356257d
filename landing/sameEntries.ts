import { foldersOf } from './paths.ts';

/** Paths of which no two are one entry on a file system where capital letters do not count. */
export class SameEntries {
  /** The first path of each, by what such a file system goes by. */
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();

  /**
   * Adds the path of a file or link.
   * @returns the path that was added before and would be the same entry, or have a folder in its place; then this one is not added
   */
  add(path: string): string | undefined {
    const other = this.#sameAs(path);
    if (other === undefined) {
      this.#files.set(path.toLowerCase(), path);
      for (const folder of foldersOf(path)) {
        this.#folders.set(folder.toLowerCase(), path);
      }
    }
    return other;
  }

  #sameAs(path: string): string | undefined {
    const same = this.#files.get(path.toLowerCase());
    if (same !== undefined) {
      return same === path ? undefined : same;
    }
    const above = foldersOf(path).find(folder => this.#files.has(folder.toLowerCase()));
    return above === undefined ? this.#folders.get(path.toLowerCase()) : this.#files.get(above.toLowerCase());
  }
}
