import { lstatSync, watch as watchFolder } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { disposable } from '../../core/disposable.ts';
import type { Disposable } from '../../core/disposable.ts';
import type { Located } from './insidePath.ts';
import { SafeFolder } from './safeFolder.ts';

/** The net below the system's notices, which can be lost; and all there is while the folder does not exist. */
const POLL_WATCHED_MS = 250;
const POLL_UNWATCHED_MS = 50;
/** A look costs ten system calls: with thousands of files looks become rarer, so that all of them stay a small part of a core. */
const POLL_MS_PER_WATCH = 2;

let watches = 0;

export interface FileWatchListener {
  /** Calls of one turn of the event loop are one. */
  onChange(): void;
  /** Another file may stand there now, or none. */
  onReplaced(): void;
}

/**
 * Calls back soon after a file appeared, grew or was replaced; the file and its folder need not exist yet. Does not keep the
 * process alive.
 */
export function watchFile(located: Located, listener: FileWatchListener): Disposable {
  const watch = new FileWatch(located, listener);
  return disposable(() => watch.stop());
}

class FileWatch {
  readonly #located: Located;
  readonly #listener: FileWatchListener;
  #watcher: FSWatcher | undefined;
  /** Which folder is watched: a new one of the same name must be watched anew. */
  #watchedFolder = '';
  #lastSeen = '';
  #lastInode = 0;
  #scheduled = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(located: Located, listener: FileWatchListener) {
    this.#located = located;
    this.#listener = listener;
    watches++;
    this.#poll();
  }

  stop(): void {
    watches -= this.#stopped ? 0 : 1;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#unwatch();
  }

  #poll(): void {
    const seen = this.#look();
    if (seen !== this.#lastSeen) {
      this.#lastSeen = seen;
      this.#schedule();
    }
    const pauseMs =
      this.#watcher === undefined ? POLL_UNWATCHED_MS : Math.max(POLL_WATCHED_MS, watches * POLL_MS_PER_WATCH);
    this.#timer = setTimeout(() => this.#poll(), pauseMs).unref();
  }

  /** The state of the file, after it was made sure that its folder is watched: nothing falls between. */
  #look(): string {
    let folder: SafeFolder | undefined;
    try {
      folder = SafeFolder.openParent(this.#located, { create: false });
      const name = this.#located.components.at(-1) ?? '';
      if (folder.identity !== this.#watchedFolder) {
        this.#watch(folder, name);
      }
      const stat = lstatSync(folder.pathOf(name), { throwIfNoEntry: false });
      this.#noteInode(stat?.ino ?? 0);
      return stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    } catch {
      // The folder is not there: each poll looks for it again.
      this.#unwatch();
      this.#noteInode(0);
      return '';
    } finally {
      folder?.close();
    }
  }

  #noteInode(inode: number): void {
    if (inode !== this.#lastInode) {
      this.#lastInode = inode;
      this.#listener.onReplaced();
    }
  }

  #watch(folder: SafeFolder, name: string): void {
    this.#unwatch();
    try {
      this.#watcher = watchFolder(folder.path, { persistent: false }, (kind, changed) => {
        if (changed === null || changed === name) {
          if (kind === 'rename') {
            this.#listener.onReplaced();
          }
          this.#schedule();
        }
      });
      this.#watcher.on('error', () => this.#unwatch());
      this.#watchedFolder = folder.identity;
    } catch {
      // No watches are left on this machine: polling does.
      this.#unwatch();
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watchedFolder = '';
  }

  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (!this.#stopped) {
          this.#listener.onChange();
        }
      });
    }
  }
}
