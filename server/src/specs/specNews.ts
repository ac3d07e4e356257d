import type { SpecDocument } from '../../../protocol/specCalls.ts';
import { disposable } from '../core/disposable.ts';
import type { Disposable } from '../core/disposable.ts';

/** Tells who listens what became of a spec, whoever changed it. */
export class SpecNews {
  readonly #listeners = new Set<(spec: SpecDocument) => void>();

  /** @param listener must not throw or block */
  follow(listener: (spec: SpecDocument) => void): Disposable {
    this.#listeners.add(listener);
    return disposable(() => this.#listeners.delete(listener));
  }

  tell(spec: SpecDocument): void {
    this.#listeners.forEach(listener => listener(spec));
  }
}
