/**
 * Answers that never change, as what two commits differ in: those asked for last are kept, up to a number of answers and a
 * sum of their weights. What failed is asked for again.
 */
export class Recent<Answer> {
  readonly #answers = new Map<string, { answer: Promise<Answer>; weight: number }>();
  readonly #max: { answers: number; weight: number };
  readonly #weigh: (answer: Answer) => number;
  #weight = 0;

  constructor(max: { answers: number; weight: number }, weigh: (answer: Answer) => number) {
    this.#max = max;
    this.#weigh = weigh;
  }

  get(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#answers.get(key);
    if (known) {
      this.#answers.delete(key);
      this.#answers.set(key, known);
      return known.answer;
    }
    const asked = { answer: ask(), weight: 0 };
    this.#answers.set(key, asked);
    asked.answer.then(
      answer => {
        if (this.#answers.get(key) === asked) {
          asked.weight = this.#weigh(answer);
          this.#weight += asked.weight;
          this.#shrink();
        }
      },
      () => this.#answers.delete(key),
    );
    return asked.answer;
  }

  /** An answer that is too heavy by itself is not kept either. */
  #shrink(): void {
    for (const [key, { weight }] of this.#answers) {
      if (this.#answers.size <= this.#max.answers && this.#weight <= this.#max.weight) {
        return;
      }
      this.#answers.delete(key);
      this.#weight -= weight;
    }
  }
}
