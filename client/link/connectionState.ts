import { SandpiperError } from '../../protocol/errors.ts';
import { t } from '../../protocol/text.ts';

/** How the client stands to the relay. All times are of a steady clock, in milliseconds. */
export type ConnectionState =
  /** Not wanted. */
  | { kind: 'disconnected' }
  | { kind: 'connecting'; attempt: number; step: ConnectingStep; sinceMs: number }
  /** Initialized: calls go out. */
  | { kind: 'connected'; attempt: number; sinceMs: number }
  /** Lost or not reached; the next attempt is due at `untilMs`. */
  | { kind: 'waiting'; attempt: number; untilMs: number; error: SandpiperError }
  /** The relay said no; trying again would not help until the user does something. */
  | { kind: 'refused'; error: SandpiperError };

/** `finding`: an address is looked for or a relay is started; `greeting`: a socket is opened and initialized. */
export type ConnectingStep = 'finding' | 'greeting';

/**
 * A state, and the number of the last socket that it asked for. At most one is wanted at any time: `wantedSocket`. The
 * number makes it plain which attempt a late answer belongs to.
 */
export interface Connection {
  state: ConnectionState;
  socket: number;
}

export const UNCONNECTED: Connection = { state: { kind: 'disconnected' }, socket: 0 };

export type ConnectionAction =
  /** A person or a call wants a connection: now, also when the next attempt would be due later. */
  | { kind: 'connect'; nowMs: number }
  | { kind: 'disconnect' }
  /** There is a socket for the attempt; it is not open yet. */
  | { kind: 'found'; socket: number; nowMs: number }
  | { kind: 'initialized'; socket: number; nowMs: number }
  /** @property random from 0 to 1, so that clients of a restarted relay do not come all at once */
  | { kind: 'lost'; socket: number; error: SandpiperError; nowMs: number; random: number }
  /** Time went by. */
  | { kind: 'tick'; nowMs: number; random: number };

export interface Backoff {
  firstMs: number;
  maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };

/** A connection that held this long was a good one: after it the delays begin anew. */
const STABLE_MS = 5_000;

/**
 * No attempt lasts longer, whatever its parts do: a port that takes connections and never speaks, as that of a process
 * that stands still, must not hold up the next attempt. Starting a relay has limits of its own that are shorter.
 */
export const STEP_LIMIT_MS: Readonly<Record<ConnectingStep, number>> = { finding: 90_000, greeting: 15_000 };

/** What comes after an action. Pure: the client opens and closes sockets as `wantedSocket` changes. */
export function reduceConnection(
  connection: Connection,
  action: ConnectionAction,
  backoff: Backoff = DEFAULT_BACKOFF,
): Connection {
  const { state, socket } = connection;
  const wanted = wantedSocket(connection);
  switch (action.kind) {
    case 'connect':
      return wanted === undefined ? attempt(connection, 1, action.nowMs) : connection;
    case 'disconnect':
      return state.kind === 'disconnected' ? connection : { state: { kind: 'disconnected' }, socket };
    case 'found':
      return state.kind === 'connecting' && state.step === 'finding' && action.socket === wanted
        ? { state: { ...state, step: 'greeting', sinceMs: action.nowMs }, socket }
        : connection;
    case 'initialized':
      return state.kind === 'connecting' && action.socket === wanted
        ? { state: { kind: 'connected', attempt: state.attempt, sinceMs: action.nowMs }, socket }
        : connection;
    case 'lost':
      return action.socket === wanted ? { state: afterLoss(state, action, backoff), socket } : connection;
    case 'tick':
      return afterTime(connection, action, backoff);
  }
}

/** The socket that there should be: to be opened when it is another than before, and every other one is to be closed. */
export function wantedSocket({ state, socket }: Connection): number | undefined {
  return state.kind === 'connecting' || state.kind === 'connected' ? socket : undefined;
}

function attempt({ socket }: Connection, count: number, nowMs: number): Connection {
  return { state: { kind: 'connecting', attempt: count, step: 'finding', sinceMs: nowMs }, socket: socket + 1 };
}

function afterTime(
  connection: Connection,
  { nowMs, random }: Extract<ConnectionAction, { kind: 'tick' }>,
  backoff: Backoff,
): Connection {
  const { state, socket } = connection;
  if (state.kind === 'waiting' && nowMs >= state.untilMs) {
    return attempt(connection, state.attempt + 1, nowMs);
  }
  if (state.kind === 'connecting' && nowMs - state.sinceMs >= STEP_LIMIT_MS[state.step]) {
    const error = new SandpiperError('timeout', t('The relay does not answer.'), {
      hint: t('Sandpiper tries again by itself.'),
    });
    return { state: afterLoss(state, { error, nowMs, random }, backoff), socket };
  }
  return connection;
}

function afterLoss(
  state: ConnectionState,
  { error, nowMs, random }: { error: SandpiperError; nowMs: number; random: number },
  backoff: Backoff,
): ConnectionState {
  if (isRefusal(error)) {
    return { kind: 'refused', error };
  }
  const wasStable = state.kind === 'connected' && nowMs - state.sinceMs >= STABLE_MS;
  const count = wasStable || !('attempt' in state) ? 1 : state.attempt;
  const fullMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** (count - 1));
  return { kind: 'waiting', attempt: count, untilMs: nowMs + fullMs * (0.5 + random / 2), error };
}

/** Whether an error means that trying again cannot help. */
function isRefusal(error: SandpiperError): boolean {
  return error.code === 'unauthorized' || error.code === 'forbidden' || error.code === 'version_mismatch';
}
