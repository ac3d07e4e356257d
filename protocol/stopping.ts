import type { Item, SessionState } from './session.ts';

type Message = Extract<Item, { kind: 'message' }>;

/** Messages that the agent has not taken, the oldest first. They are taken in order, so none stands before a taken one. */
export function undeliveredMessages(items: readonly Item[]): Message[] {
  const found: Message[] = [];
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.kind === 'message') {
      if (item.delivery === 'taken') {
        break;
      }
      found.push(item);
    }
  }
  return found.reverse();
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

/** What a stop would end at this moment: a turn, or the way to it; undefined when there is nothing to stop. */
export function whatToStop(state: SessionState): 'turn' | 'start' | undefined {
  if (state.archived) {
    return undefined;
  }
  if (turnToStop(state) !== undefined) {
    return 'turn';
  }
  const waits = state.phase.kind === 'preparing' || state.phase.kind === 'idle';
  return waits && undeliveredMessages(state.items).length > 0 ? 'start' : undefined;
}
