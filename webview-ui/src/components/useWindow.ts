import { useRef, useState } from 'preact/hooks';
import { grouped, type Entry } from '../state/groups.ts';
import { earlierStart, PAGE_ROWS, toRows, windowStart } from '../state/transcript.ts';
import type { Item } from '../../../protocol/session.ts';

interface Options {
  entries: readonly Entry[];
  /** Those of the entries that were fetched later than the others, before them. */
  older: readonly Item[] | undefined;
  focus: boolean;
  following: boolean;
}

export interface Window {
  /** Index of the first entry that is in the document. */
  start: number;
  toEnd(): void;
  showEarlier(): void;
  /** So that this entry is in the document, and some before it. */
  show(index: number): void;
}

/** What stands above an entry that is brought into sight. */
const ROWS_ABOVE = 20;

/** Which part of the entries is in the document. */
export function useWindow({ entries, older, focus, following }: Options): Window {
  const [, redraw] = useState(0);
  const window = useRef({ start: Math.max(0, entries.length - PAGE_ROWS), older, focus });
  const now = window.current;
  if (older !== now.older) {
    now.start += older ? grouped(toRows(older), focus).length : 0;
    now.older = older;
  }
  if (focus !== now.focus) {
    now.start = Math.max(0, entries.length - PAGE_ROWS);
    now.focus = focus;
  }
  now.start = windowStart(Math.max(0, now.start), entries.length, following);
  const move = (start: number): void => {
    now.start = start;
    redraw(value => value + 1);
  };
  return {
    start: now.start,
    toEnd: () => move(Math.max(0, entries.length - PAGE_ROWS)),
    // What is fetched only now is added to it when it is here.
    showEarlier: () => move(now.start > 0 ? earlierStart(now.start) : -PAGE_ROWS),
    show: index => move(Math.min(now.start, Math.max(0, index - ROWS_ABOVE))),
  };
}
