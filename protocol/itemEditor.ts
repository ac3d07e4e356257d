import type { Item } from './session.ts';

/**
 * Edits a list of items without touching the list it was given: the first change copies it, the others go into that copy.
 * What is to be changed is mostly near the end, so it is looked for from there.
 */
export class ItemEditor {
  #list: Item[];
  #owned = false;

  constructor(list: Item[]) {
    this.#list = list;
  }

  /** The list as it is now. Later changes go into the same array. */
  get list(): Item[] {
    return this.#list;
  }

  add(item: Item): void {
    this.#own().push(item);
  }

  /** Drops every item that does not fit. */
  keep(fits: (item: Item) => boolean): void {
    if (!this.#list.every(fits)) {
      this.#list = this.#list.filter(fits);
      this.#owned = true;
    }
  }

  /** Replaces every item for which there is a new one. */
  change(replacement: (item: Item) => Item | undefined): void {
    for (let index = 0; index < this.#list.length; index++) {
      const item = this.#list[index];
      this.#replace(index, item && replacement(item));
    }
  }

  /** Replaces the last item for which there is a new one. */
  changeLast(replacement: (item: Item) => Item | undefined): void {
    for (let index = this.#list.length - 1; index >= 0; index--) {
      const item = this.#list[index];
      const next = item && replacement(item);
      if (next) {
        this.#replace(index, next);
        return;
      }
    }
  }

  #replace(index: number, item: Item | undefined): void {
    if (item) {
      this.#own()[index] = item;
    }
  }

  #own(): Item[] {
    if (!this.#owned) {
      this.#list = [...this.#list];
      this.#owned = true;
    }
    return this.#list;
  }
}
