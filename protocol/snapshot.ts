import type { Item, SessionState } from './session.ts';

/** So many times as many items as were asked for go into a snapshot at most. */
const MOST = 10;

/**
 * The session with its newest items; older ones are in the log. What may still change is among them as far as it goes: a
 * tool that runs, a message that is not taken or that a lost sandbox would hand over again. Otherwise who begins with the
 * snapshot would see another state than who saw it all.
 * @param mostItems a turn may be very long
 */
export function snapshotOf(state: SessionState, maxItems: number, mostItems: number = maxItems * MOST): SessionState {
  const { items } = state;
  const unsaved = state.turns.find(turn => !turn.checkpoint)?.number ?? Infinity;
  const open = items.findIndex(item => isOpen(item, unsaved));
  const wanted = open < 0 ? maxItems : Math.max(maxItems, items.length - open);
  const omitted = Math.max(0, items.length - Math.min(wanted, mostItems));
  return omitted === 0 ? state : { ...state, items: items.slice(omitted), omittedItems: state.omittedItems + omitted };
}

/** @param unsaved the first turn without a checkpoint */
function isOpen(item: Item, unsaved: number): boolean {
  switch (item.kind) {
    case 'tool':
      return item.state === 'running' || item.state === 'waiting' || item.task?.state === 'running';
    case 'message':
      return item.delivery !== 'taken' || (item.turn ?? 0) >= unsaved;
    default:
      return false;
  }
}
