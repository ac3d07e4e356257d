import { signal } from '@preact/signals';

/** A question that must be answered before something leaves the page. */
export interface Question {
  title: string;
  body: string;
  /** Shown whole, in the code font. */
  code?: string;
  confirm: string;
  /** Another way on, with a button of its own; its answer is `instead`. */
  instead?: string;
  /** Asks for one of these; the first is chosen. */
  choice?: { label: string; options: readonly (readonly [value: string, label: string])[] };
  /** Asks for a secret too. */
  secret?: { label: string };
}

export interface OpenQuestion extends Question {
  answer(value: string | undefined): void;
}

/** The questions that wait for the user; the first one is shown. */
export const openQuestions = signal<readonly OpenQuestion[]>([]);

/**
 * Asks. The answer is the secret or the choice (empty when none was asked for), `instead` for the other way on, or undefined
 * when the user cancelled.
 */
export function ask(question: Question): Promise<string | undefined> {
  return new Promise(resolve => {
    const open: OpenQuestion = {
      ...question,
      answer: value => {
        openQuestions.value = openQuestions.peek().filter(other => other !== open);
        resolve(value);
      },
    };
    openQuestions.value = [...openQuestions.peek(), open];
  });
}
