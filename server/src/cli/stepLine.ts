export interface StepLine {
  show(step: string): void;
  dispose(): void;
}

const REDRAW_MS = 100;

/** One line at the bottom of a terminal that says what is being done; nothing where there is no terminal. */
export function stepLine(what: string): StepLine {
  let shownAt = 0;
  return {
    show(step) {
      if (process.stderr.isTTY && Date.now() - shownAt >= REDRAW_MS) {
        shownAt = Date.now();
        process.stderr.write(`\r\u001B[K${what}: ${step}`.slice(0, (process.stderr.columns ?? 80) + 3));
      }
    },
    dispose() {
      if (process.stderr.isTTY) {
        process.stderr.write('\r\u001B[K');
      }
    },
  };
}
