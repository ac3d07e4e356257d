import { listPaths } from '../git/listPaths.ts';
import type { Mirror } from '../git/mirror.ts';

/** A person types in one session at a time; a few more cost little. A path takes about a hundred bytes. */
const KEPT = 4;

/** The paths of the commits that were asked for last: a commit never changes, so reading it once is enough. */
export class PathIndex {
  readonly #known = new Map<string, Promise<string[]>>();

  /** @throws `git_failed` */
  async paths(mirror: Mirror, commit: string): Promise<string[]> {
    const key = `${mirror.path}\n${commit}`;
    const known = this.#known.get(key) ?? listPaths(mirror, commit);
    // Taken out and put in again: the first of the map is the one that was not asked for the longest.
    this.#known.delete(key);
    this.#known.set(key, known);
    known.catch(() => this.#known.delete(key));
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) {
        break;
      }
      this.#known.delete(oldest);
    }
    return known;
  }
}
