import type { Item } from '../../../protocol/session.ts';

/** How many rows are in the document at first, and how many one "Show earlier" adds. */
export const PAGE_ROWS = 200;
/** The window may grow by this much before its head is cut, so that not every event moves it. */
const SLACK_ROWS = 50;

/** A row of the transcript with the steps that a subagent did inside of it. */
export interface Row {
  item: Item;
  children: readonly Item[];
}

/** Puts the items of subagents below the tool call that they belong to. */
export function toRows(items: readonly Item[]): Row[] {
  const rows: Row[] = [];
  const childrenOf = new Map<string, Item[]>();
  for (const item of items) {
    const parent =
      'parentToolId' in item && item.parentToolId !== undefined ? childrenOf.get(item.parentToolId) : undefined;
    if (parent) {
      parent.push(item);
    }
    // Steps of a subagent's subagent stand with it, in one level: a narrow view has no room for more.
    const children = parent ?? [];
    if (item.kind === 'tool') {
      childrenOf.set(item.id, children);
    }
    if (!parent) {
      rows.push({ item, children });
    }
  }
  return rows;
}

/**
 * The first row to draw. While the reader follows the end, old rows leave the document; while they read further up,
 * nothing above them moves.
 */
export function windowStart(previous: number, total: number, following: boolean): number {
  const tail = Math.max(0, total - PAGE_ROWS);
  if (previous > total) {
    return tail;
  }
  return following && total - previous > PAGE_ROWS + SLACK_ROWS ? tail : previous;
}

/** The window after "Show earlier". */
export function earlierStart(start: number): number {
  return Math.max(0, start - PAGE_ROWS);
}
