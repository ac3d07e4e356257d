import { signal, type Signal } from '@preact/signals';
import type { LiveItem } from '../../../protocol/events.ts';

/** An item that is being written. The text is a signal of its own, so that a delta redraws nothing else. */
export interface LiveText {
  id: string;
  kind: LiveItem['kind'];
  parentToolId?: string;
  startedAt: number;
  text: Signal<string>;
}

export interface Delta {
  itemId: string;
  kind: LiveItem['kind'];
  parentToolId?: string | undefined;
  offset: number;
  text: string;
}

export function liveText(item: LiveItem, now: number): LiveText {
  return {
    id: item.itemId,
    kind: item.kind,
    startedAt: now,
    text: signal(item.text),
    ...(item.parentToolId === undefined ? {} : { parentToolId: item.parentToolId }),
  };
}

/**
 * Puts a delta where it belongs. What overlaps is replaced, since a snapshot may already hold a part of it.
 * @returns the list (the same one unless an item came), or `gap` when text before the offset is missing
 */
export function applyDelta(items: readonly LiveText[], delta: Delta, now: number): readonly LiveText[] | 'gap' {
  const known = items.find(item => item.id === delta.itemId);
  if (!known) {
    return delta.offset === 0 ? [...items, liveText(toLiveItem(delta), now)] : 'gap';
  }
  const before = known.text.peek();
  if (delta.offset > before.length) {
    return 'gap';
  }
  known.text.value = before.slice(0, delta.offset) + delta.text;
  return items;
}

function toLiveItem({ itemId, kind, text, parentToolId }: Delta): LiveItem {
  return { itemId, kind, text, ...(parentToolId === undefined ? {} : { parentToolId }) };
}
