import type { SecretSearch } from './secretSearch.ts';

/** A piece of a text that is being written; `offset` is the length of what came before it. */
interface Piece {
  offset: number;
  text: string;
}

interface Progress {
  /** Length of what came in and of what went out. */
  taken: number;
  given: number;
  /** What came in and may be the beginning of a secret. */
  held: string;
}

/**
 * Takes secrets out of texts that come in pieces, also where one is spread over several. Holds back nothing but the
 * beginning of a possible one; the finished text brings what was held.
 */
export class DeltaRedactor {
  readonly #search: () => SecretSearch;
  readonly #items = new Map<string, Progress>();

  constructor(search: () => SecretSearch) {
    this.#search = search;
  }

  /** What may be shown of a piece; undefined: nothing yet. */
  take(itemId: string, piece: Piece): Piece | undefined {
    const search = this.#search();
    if (search.isEmpty) {
      return piece;
    }
    let item = this.#items.get(itemId);
    if (!item || piece.offset !== item.taken) {
      // Begun anew, or read from the middle.
      item = { taken: piece.offset, given: piece.offset, held: '' };
      this.#items.set(itemId, item);
    }
    const { text, held } = search.redactStart(item.held + piece.text);
    const offset = item.given;
    item.taken += piece.text.length;
    item.given += text.length;
    item.held = held;
    return text === '' && piece.text !== '' ? undefined : { offset, text };
  }

  /** The item was finished. */
  forget(itemId: string): void {
    this.#items.delete(itemId);
  }

  clear(): void {
    this.#items.clear();
  }
}
