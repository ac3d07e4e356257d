import type { Item, SessionState } from './session.ts';
import { openWork } from './specWork.ts';

type Message = Extract<Item, { kind: 'message' }>;

/**
 * Messages that the agent has not taken, in the order in which it gets them: what is on its way, then what was to stop the
 * turn for, then the oldest. A message that was handed into a turn is taken before others that were written earlier.
 */
export function undeliveredMessages(items: readonly Item[]): Message[] {
  const found = items.filter((item): item is Message => item.kind === 'message' && item.delivery !== 'taken');
  return found.length < 2 ? found : found.sort((one, other) => rank(one) - rank(other));
}

function rank({ delivery, way }: Message): number {
  return delivery === 'sent' ? 0 : way === 'interrupt' ? 1 : 2;
}

/** The turn that a stop ends: the open one, or the one that the message on its way to the agent will begin. */
export function turnToStop(state: SessionState): number | undefined {
  const last = state.turns.at(-1);
  if (last && !last.agent) {
    return last.number;
  }
  return state.phase.kind === 'idle' && state.agent.running && undeliveredMessages(state.items)[0]?.delivery === 'sent'
    ? (last?.number ?? 0) + 1
    : undefined;
}

/** What a stop would end at this moment: a turn, the way to it, a move, or a spec; undefined when there is nothing to stop. */
export function whatToStop(state: SessionState): 'turn' | 'start' | 'move' | 'spec' | undefined {
  if (state.archived) {
    return undefined;
  }
  if (turnToStop(state) !== undefined) {
    return 'turn';
  }
  if (state.moving) {
    return 'move';
  }
  const waits = state.phase.kind === 'preparing' || state.phase.kind === 'idle';
  if (waits && undeliveredMessages(state.items).length > 0) {
    return 'start';
  }
  return openWork(state) ? 'spec' : undefined;
}
