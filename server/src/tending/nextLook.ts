import type { PullRequest } from '../../../protocol/events.ts';

const MAX_WAIT_MS = 3600_000;
/** An open pull request about which nothing is under way; webhooks tell sooner. */
const CALM = 5;
/** A closed one may be opened again. */
const CLOSED = 60;
/** Without a token there is nothing to ask with; one may come. */
const NO_TOKEN = 30;

/**
 * Pure. How long until a pull request is looked at again, in milliseconds.
 * @param baseMs while something is under way there; everything else is a multiple of it
 * @param failures looks in a row that failed
 */
export function waitUntilNextLook(
  pull: Pick<PullRequest, 'state' | 'status'>,
  {
    baseMs,
    failures,
    retryAfterMs = 0,
    noToken,
  }: {
    baseMs: number;
    failures: number;
    retryAfterMs?: number | undefined;
    noToken: boolean;
  },
): number {
  const waitMs = noToken ? NO_TOKEN * baseMs : baseMs * timesOf(pull);
  return Math.max(retryAfterMs, Math.min(MAX_WAIT_MS, waitMs * 2 ** Math.min(failures, 10)));
}

function timesOf({ state, status }: Pick<PullRequest, 'state' | 'status'>): number {
  if (state !== 'open') {
    return CLOSED;
  }
  const isUnderWay = !status || status.checks.state === 'pending' || status.conflicts === undefined;
  return isUnderWay ? 1 : CALM;
}

/**
 * Pure. The pull request with what a forge says of it now, or undefined when that is no news. How far it is behind its base
 * alone is none, while it was behind before: a busy base would fill the log.
 */
export function withNews(
  before: PullRequest,
  now: Pick<PullRequest, 'state' | 'draft' | 'baseBranch' | 'status'>,
): PullRequest | undefined {
  const { status: _old, ...rest } = before;
  const after = { ...rest, ...now };
  return JSON.stringify(comparable(before)) === JSON.stringify(comparable(after)) ? undefined : after;
}

function comparable({
  state,
  draft,
  baseBranch,
  status,
}: Pick<PullRequest, 'state' | 'draft' | 'baseBranch' | 'status'>): unknown {
  return [
    state,
    draft,
    baseBranch,
    status && [status.checks, status.review, status.unanswered, status.conflicts ?? null, (status.behind ?? 0) > 0],
  ];
}
