import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Grant, OauthAnswer } from './oauth.ts';

/* When to ask GitHub again whether the code was entered, and what its words mean. Pure. */

/** How fast GitHub may be asked. */
export interface Pace {
  intervalMs: number;
  /** In a row, without an answer. */
  failures: number;
}

export type PollDecision =
  | { kind: 'granted'; grant: Grant }
  | { kind: 'wait'; waitMs: number; pace: Pace }
  | { kind: 'failed'; error: SandpiperError };

const SLOWER_MS = 5_000;
const MAX_WAIT_MS = 60_000;

/** What one answer means (RFC 8628, 3.5). */
export function decidePoll(
  answer: OauthAnswer<Grant>,
  { intervalMs, failures }: Pace,
  { now, expiresAt }: { now: number; expiresAt: number },
): PollDecision {
  if (answer.kind === 'given') {
    return { kind: 'granted', grant: answer.given };
  }
  const slower = answer.kind === 'refused' && answer.error === 'slow_down';
  if (answer.kind === 'refused' && !slower && answer.error !== 'authorization_pending') {
    return { kind: 'failed', error: refusalOf(answer.error, answer.description) };
  }
  if (now >= expiresAt) {
    return { kind: 'failed', error: refusalOf('expired_token', '') };
  }
  if (answer.kind === 'noAnswer') {
    const waitMs = Math.min(intervalMs * 2 ** (failures + 1), MAX_WAIT_MS);
    return { kind: 'wait', waitMs, pace: { intervalMs, failures: failures + 1 } };
  }
  const nextMs = slower ? Math.max(intervalMs, answer.intervalMs ?? intervalMs + SLOWER_MS) : intervalMs;
  return { kind: 'wait', waitMs: nextMs, pace: { intervalMs: nextMs, failures: 0 } };
}

/** What GitHub says by one word, as an error fit for a person. */
export function refusalOf(word: string, description: string): SandpiperError {
  switch (word) {
    case 'expired_token':
    case 'incorrect_device_code':
      return new SandpiperError('forge_unauthorized', 'The code was not entered in time.', {
        hint: 'Run `sandpiper login` again.',
      });
    case 'access_denied':
      return new SandpiperError('forge_refused', 'The sign-in was refused on GitHub.', {
        hint: 'Run `sandpiper login` again, and authorize it there.',
      });
    case 'device_flow_disabled':
      return new SandpiperError('forge_refused', 'The App of this client id does not take part in the device flow.', {
        hint: 'On GitHub, in the settings of the App, tick "Enable Device Flow".',
      });
    case 'incorrect_client_credentials':
      return new SandpiperError('forge_refused', 'GitHub does not know this client id.', {
        hint: 'SANDPIPER_GITHUB_CLIENT_ID is the client id of a GitHub App or OAuth App on that host, not its number.',
      });
    default:
      return new SandpiperError('forge_refused', `GitHub refused the sign-in: ${description || word}.`, {
        hint: 'Correct what GitHub names, then run `sandpiper login` again.',
      });
  }
}
