import { MIN_SECRET_CHARS } from './encodings.ts';
import { SecretSearch, type Secret } from './secretSearch.ts';

/** Of a longer value its end is looked for: without that nothing can be done with the rest. */
const MAX_SEARCHED_CHARS = 160;
const MAX_BROUGHT = 8;

/** The secrets that this relay holds at the moment, each under a name of its own. */
export class Secrets {
  readonly #held = new Map<string, Secret>();
  #search: SecretSearch | undefined;
  #brought = 0;

  /** @param value undefined: it is not held any more */
  hold(id: string, name: string, value: string | undefined): void {
    const known = this.#held.get(id)?.value;
    if (known === value) {
      return;
    }
    this.#search = undefined;
    if (value === undefined || value.length < MIN_SECRET_CHARS) {
      this.#held.delete(id);
    } else {
      this.#held.set(id, { name, value });
    }
  }

  /** A token that a call brought: the last few are known. */
  holdBrought(value: string | undefined): void {
    if (value !== undefined && !this.list().some(secret => secret.value === value)) {
      this.hold(`brought ${this.#brought++ % MAX_BROUGHT}`, 'forge token', value);
    }
  }

  list(): Secret[] {
    return [...this.#held.values()];
  }

  get search(): SecretSearch {
    this.#search ??= new SecretSearch(
      this.list().map(({ name, value }) => ({
        name,
        value: value.length > MAX_SEARCHED_CHARS ? value.slice(-MAX_SEARCHED_CHARS) : value,
      })),
    );
    return this.#search;
  }
}
