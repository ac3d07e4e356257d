import type { EventOf } from './events.ts';
import type { Interrupted, Item, SessionState } from './session.ts';

/** The turn that an agent's end cut off. A person who stopped it wants no more of it. */
export function interruptedBy(
  state: SessionState,
  items: readonly Item[],
  { expected, cause }: EventOf<'agentEnded'>,
  at: number,
): Interrupted | undefined {
  const open = state.turns.find(turn => !turn.agent);
  return open && (!expected || state.recovering)
    ? {
        turn: open.number,
        at,
        cause,
        toolRan: items.some(item => item.kind === 'tool' && item.turn === open.number && item.state === 'running'),
      }
    : undefined;
}

/** What the transcript says of a recovery. */
export function recoveryText({ cause, by }: EventOf<'recoveryStarted'>): string {
  return by === 'relay' ? `${cause} Sandpiper goes on with the same conversation.` : cause;
}
