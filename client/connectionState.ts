import { CLOSE_CODES } from '../protocol/closeCodes.ts';
import { SandpiperError } from '../protocol/errors.ts';

/** How the client stands to the relay. */
export type ConnectionState =
  /** Not wanted. */
  | { kind: 'disconnected' }
  | { kind: 'connecting'; attempt: number }
  /** Initialized: calls go out. */
  | { kind: 'connected'; attempt: number; sinceMs: number }
  /** Lost or not reached; the next attempt is due at `untilMs`. */
  | { kind: 'waiting'; attempt: number; untilMs: number; error: SandpiperError }
  /** The relay said no; trying again would not help until the user does something. */
  | { kind: 'refused'; error: SandpiperError };

export type ConnectionAction =
  | { kind: 'connect' }
  | { kind: 'initialized'; nowMs: number }
  /** @property random from 0 to 1, so that clients of a restarted relay do not come all at once */
  | { kind: 'lost'; error: SandpiperError; nowMs: number; random: number }
  | { kind: 'retryDue' }
  | { kind: 'disconnect' };

export interface Backoff {
  firstMs: number;
  maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };

/** A connection that held this long was a good one: after it the delays begin anew. */
const STABLE_MS = 5_000;

/** The state after an action. Pure: the client acts on what it returns. */
export function reduceConnection(
  state: ConnectionState,
  action: ConnectionAction,
  backoff: Backoff = DEFAULT_BACKOFF,
): ConnectionState {
  switch (action.kind) {
    case 'connect':
      return state.kind === 'connecting' || state.kind === 'connected' ? state : { kind: 'connecting', attempt: 1 };
    case 'disconnect':
      return { kind: 'disconnected' };
    case 'initialized':
      return state.kind === 'connecting' ? { kind: 'connected', attempt: state.attempt, sinceMs: action.nowMs } : state;
    case 'retryDue':
      return state.kind === 'waiting' ? { kind: 'connecting', attempt: state.attempt + 1 } : state;
    case 'lost':
      return state.kind === 'connecting' || state.kind === 'connected' ? afterLoss(state, action, backoff) : state;
  }
}

function afterLoss(
  state: Extract<ConnectionState, { kind: 'connecting' | 'connected' }>,
  { error, nowMs, random }: Extract<ConnectionAction, { kind: 'lost' }>,
  backoff: Backoff,
): ConnectionState {
  if (isRefusal(error)) {
    return { kind: 'refused', error };
  }
  const wasStable = state.kind === 'connected' && nowMs - state.sinceMs >= STABLE_MS;
  const attempt = wasStable ? 1 : state.attempt;
  const fullMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** (attempt - 1));
  return { kind: 'waiting', attempt, untilMs: nowMs + fullMs * (0.5 + random / 2), error };
}

/** Whether an error means that trying again cannot help. */
function isRefusal(error: SandpiperError): boolean {
  return error.code === 'unauthorized' || error.code === 'forbidden' || error.code === 'version_mismatch';
}

/** The closing of a socket, as an error fit for a person. */
export function closeError(code: number, reason: string): SandpiperError {
  switch (code) {
    case CLOSE_CODES.versionMismatch.code:
      return new SandpiperError('version_mismatch', reason || 'The relay speaks another protocol version.', {
        hint: 'Update the older of the two.',
      });
    case CLOSE_CODES.restarting.code:
      return new SandpiperError('disconnected', 'The relay stopped.', { hint: 'Sandpiper reconnects by itself.' });
    case CLOSE_CODES.lagging.code:
      return new SandpiperError('disconnected', 'The connection was too slow and the relay closed it.', {
        hint: 'Sandpiper reconnects by itself.',
      });
    default:
      return new SandpiperError(
        'disconnected',
        `The connection to the relay was lost (${code}${reason ? `: ${reason}` : ''}).`,
        { hint: 'Sandpiper reconnects by itself.' },
      );
  }
}
