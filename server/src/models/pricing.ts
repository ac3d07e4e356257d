import type { Usage } from '../../../protocol/events.ts';

/*
 * US dollars for a million tokens. Source: platform.claude.com/docs/en/about-claude/pricing, read in November 2026, and the
 * costs that Claude Code 2.1.328 shows. Writing to the five-minute cache costs 1.25 times the input, to the one-hour cache 2
 * times; reading from it a share of the input that differs by model.
 */

interface Price {
  /** The model's id begins with this; the longest match counts. */
  prefix: string;
  input: number;
  output: number;
  cacheRead: number;
}

const PRICES: readonly Price[] = [
  { prefix: 'claude-fable-5-1', input: 10, output: 50, cacheRead: 0.25 },
  { prefix: 'claude-fable', input: 10, output: 50, cacheRead: 1 },
  { prefix: 'claude-mythos-5-1', input: 10, output: 50, cacheRead: 0.25 },
  { prefix: 'claude-mythos', input: 10, output: 50, cacheRead: 1 },
  { prefix: 'claude-opus-5-5', input: 4, output: 20, cacheRead: 0.2 },
  { prefix: 'claude-opus-5', input: 5, output: 25, cacheRead: 0.5 },
  { prefix: 'claude-opus-4-8', input: 5, output: 25, cacheRead: 0.5 },
  { prefix: 'claude-opus-4-7', input: 5, output: 25, cacheRead: 0.5 },
  { prefix: 'claude-opus-4-6', input: 5, output: 25, cacheRead: 0.5 },
  { prefix: 'claude-opus-4-5', input: 5, output: 25, cacheRead: 0.5 },
  { prefix: 'claude-opus-4', input: 15, output: 75, cacheRead: 1.5 },
  { prefix: 'claude-sonnet-5-5', input: 2, output: 10, cacheRead: 0.1 },
  { prefix: 'claude-sonnet-5', input: 2, output: 10, cacheRead: 0.2 },
  { prefix: 'claude-sonnet-4', input: 3, output: 15, cacheRead: 0.3 },
  // The price for prompts above 100k tokens; smaller ones cost a fifth.
  { prefix: 'claude-haiku-5-5', input: 0.5, output: 2.5, cacheRead: 0.05 },
  { prefix: 'claude-haiku-4-5', input: 1, output: 5, cacheRead: 0.1 },
];

/** For a model that is not listed: at least what the dearest listed one costs, so that a budget is never overrun unseen. */
const UNKNOWN: Price = {
  prefix: '',
  input: Math.max(...PRICES.map(price => price.input)),
  output: Math.max(...PRICES.map(price => price.output)),
  cacheRead: Math.max(...PRICES.map(price => price.cacheRead)),
};

const FIVE_MINUTE_WRITE = 1.25;
const ONE_HOUR_WRITE = 2;

/** Tokens as the Messages API counts them. `cacheWriteHourTokens` of the written ones go to the one-hour cache. */
export interface TokenCounts {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  cacheWriteHourTokens: number;
}

/** What the tokens cost, in US dollars. */
export function costUsd(model: string, tokens: TokenCounts): number {
  const price = priceOf(model);
  const shortWrites = Math.max(0, tokens.cacheWriteTokens - tokens.cacheWriteHourTokens);
  return (
    (tokens.inputTokens * price.input +
      tokens.outputTokens * price.output +
      tokens.cacheReadTokens * price.cacheRead +
      (shortWrites * FIVE_MINUTE_WRITE + tokens.cacheWriteHourTokens * ONE_HOUR_WRITE) * price.input) /
    1_000_000
  );
}

/** The difference of two running counts of one answer. */
export function usageBetween(model: string, before: TokenCounts, after: TokenCounts): Usage {
  return {
    inputTokens: after.inputTokens - before.inputTokens,
    outputTokens: after.outputTokens - before.outputTokens,
    cacheReadTokens: after.cacheReadTokens - before.cacheReadTokens,
    cacheWriteTokens: after.cacheWriteTokens - before.cacheWriteTokens,
    costUsd: Math.max(0, costUsd(model, after) - costUsd(model, before)),
  };
}

export const NO_TOKENS: TokenCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
};

function priceOf(model: string): Price {
  return PRICES.filter(price => model.startsWith(price.prefix)).reduce(
    (best, price) => (price.prefix.length > best.prefix.length ? price : best),
    UNKNOWN,
  );
}
