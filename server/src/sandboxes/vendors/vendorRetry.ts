import type { FailureKind } from './vendorFailure.ts';

/*
 * When to try again at a vendor, decided without doing anything. What is tried again is safe to repeat: that is the
 * business of the caller. The SDKs repeat some things by themselves at once; these pauses come after theirs.
 */

const MAX_TRIES: Readonly<Partial<Record<FailureKind, number>>> = { limited: 4, busy: 4, broken: 5 };
const FIRST_MS = 250;
const MAX_MS = 8_000;
/** A vendor that wants to be left alone for longer is not waited for. */
const MAX_ASKED_MS = 30_000;

/**
 * @param attempts that have failed so far, this one included
 * @param random from 0 to 1, so that many relays do not come back at the same moment
 * @returns undefined: give up
 */
export function retryPauseMs(
  failure: { kind: FailureKind; retryAfterMs: number | undefined },
  attempts: number,
  random: number,
): number | undefined {
  if (attempts >= (MAX_TRIES[failure.kind] ?? 1)) {
    return undefined;
  }
  if (failure.retryAfterMs !== undefined) {
    return failure.retryAfterMs > MAX_ASKED_MS ? undefined : failure.retryAfterMs + random * FIRST_MS;
  }
  const full = Math.min(FIRST_MS * 2 ** (attempts - 1), MAX_MS);
  return full / 2 + (full / 2) * random;
}

/** A vendor that fails again and again is left alone for a while, so that callers learn it at once. */
export interface BreakerState {
  /** One after the other, without an answer between. */
  failures: number;
  /** Nothing is tried before this moment, in milliseconds. */
  closedUntil: number;
}

export const BREAKER_WHOLE: BreakerState = { failures: 0, closedUntil: 0 };

const BREAK_AFTER = 8;
const BREAK_MS = 15_000;

/** After an attempt; `kind` is undefined when it went well. Failures that are an answer show that the vendor is there. */
export function breakerAfter(state: BreakerState, kind: FailureKind | undefined, now: number): BreakerState {
  if (kind !== 'broken' && kind !== 'busy') {
    return state.failures === 0 ? state : BREAKER_WHOLE;
  }
  const failures = state.failures + 1;
  // After the pause one more failure is enough to begin another.
  return { failures, closedUntil: failures >= BREAK_AFTER ? now + BREAK_MS : 0 };
}

export function breakerAllows(state: BreakerState, now: number): boolean {
  return now >= state.closedUntil;
}
