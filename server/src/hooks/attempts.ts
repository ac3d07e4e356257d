import { toSandpiperError } from '../../../protocol/errors.ts';

const MAX_ATTEMPTS = 8;
const MAX_DELAY_MS = 10 * 60_000;

export type NextAttempt =
  | { kind: 'retry'; attempts: number; dueAt: number; reason: string }
  | { kind: 'giveUp'; attempts: number; reason: string };

/**
 * What comes after a failed attempt. Pure but for `random`. What cannot succeed without a person is given up at once, and
 * waits for that person to try it again.
 * @param attempts how many there were before this one
 * @param random from 0 to 1: what failed together is not tried together again
 */
export function nextAttempt(
  thrown: unknown,
  attempts: number,
  { now, retryMs, random = Math.random() }: { now: number; retryMs: number; random?: number },
): NextAttempt {
  const { code, retryable, message, details } = toSandpiperError(thrown);
  const made = attempts + 1;
  if (made >= MAX_ATTEMPTS || !(retryable || code === 'internal')) {
    return { kind: 'giveUp', attempts: made, reason: message };
  }
  const asked = details?.['retryAfterMs'];
  const delayMs = Math.min(retryMs * 2 ** attempts, MAX_DELAY_MS) * (0.5 + random);
  const dueAt = now + Math.max(delayMs, typeof asked === 'number' ? asked : 0);
  return { kind: 'retry', attempts: made, dueAt, reason: message };
}
