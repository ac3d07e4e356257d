import type { Need } from '../scripts/setup/need.ts';

/** One figure as `npm run bench -- --json` prints it. */
export interface Figure {
  name: string;
  /** Absent as `null` when it could not be taken; `raw.reason` then says why. */
  value: number | null;
  unit: string;
  /** The most that `value` may be, or the least where more is better. */
  aim: number;
  better: 'less' | 'more';
  holds: boolean;
  raw: Raw;
}

/** The rounds: `ours` and, for a ratio, `floor`, one number a round in the order they were taken. */
export interface Raw {
  unit?: string;
  ours?: readonly number[];
  floor?: readonly number[];
  [detail: string]: unknown;
}

export interface FigureSpec {
  name: string;
  unit: string;
  aim: number;
  /** Default: less. */
  better?: 'less' | 'more';
}

/** What a measurement gets. */
export interface Bench {
  /** How often each figure is taken. */
  rounds: number;
  /** Takes one line of progress. */
  report(line: string): void;
  /** An empty folder of the measurement's own, removed after it. Its path is short, for sockets. */
  folder: string;
  /** Runs when the measurement is over, failed or interrupted; the last one first. */
  defer(cleanup: () => Promise<unknown> | void): void;
}

/** Takes one figure or several that come from the same rounds. */
export interface Measurement {
  figures: readonly FigureSpec[];
  needs: readonly Need[];
  /** Answers for every one of `figures`, by name. */
  take(bench: Bench): Promise<Record<string, { value: number; raw: Raw }>>;
}

/**
 * The middle of the rounds' ratios. Ours and floor of one round are taken side by side, so what the machine does besides
 * falls on both; a ratio of two medians would compare moments that lie minutes apart.
 */
export function medianRatio(ours: readonly number[], floor: readonly number[]): number {
  return median(ours.map((value, round) => value / (floor[round] ?? Number.NaN)));
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The smallest value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
