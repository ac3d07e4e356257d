import { percentile } from '../figure.ts';
import type { ModelLog } from './modelProcess.ts';

const MARK = /\[(\w+\.\d+)\]/g;

/** When each `[run.index]` of the scripted model was seen first. */
export class Marks {
  readonly #seen = new Map<string, number>();

  /** @param at when the bytes came, before anything was done with them */
  look(text: string, at: number): void {
    for (const [, mark] of text.matchAll(MARK)) {
      if (mark !== undefined && !this.#seen.has(mark)) {
        this.#seen.set(mark, at);
      }
    }
  }

  /** Of `run.index`; undefined when it was not seen. */
  seenAt(mark: string): number | undefined {
    return this.#seen.get(mark);
  }

  /** How many marks of a run were seen. */
  count(run: string): number {
    return [...this.#seen.keys()].filter(mark => mark.startsWith(`${run}.`)).length;
  }

  /**
   * Milliseconds from send to receipt of every delta of a run.
   * @throws when a delta did not arrive: a fast relay that loses text is not fast
   */
  latencies(run: string, { sent }: ModelLog): { p50: number; p99: number } {
    const sentOfRun = sent.flatMap(entry => (entry.kind === 'delta' && entry.run === run ? [entry] : []));
    const late = sentOfRun.map(({ index, at }) => {
      const seen = this.#seen.get(`${run}.${index}`);
      if (seen === undefined) {
        throw new Error(`Delta ${index} of ${run} did not arrive.`);
      }
      return seen - at;
    });
    return { p50: percentile(late, 0.5), p99: percentile(late, 0.99) };
  }
}
