import type { Item } from '../../../protocol/session.ts';

/** How many rows are in the document at first, and how many one "Show earlier" adds. */
export const PAGE_ROWS = 200;
/** The window may grow by this much before its head is cut, so that not every event moves it. */
const SLACK_ROWS = 50;

/** A row of the transcript with the steps that a subagent did inside of it. */
export interface Row {
  item: Item;
  children: readonly Row[];
}

/** Puts the items of subagents below the tool call that they belong to, however deep. */
export function toRows(items: readonly Item[]): Row[] {
  const rows: Row[] = [];
  const childrenOf = new Map<string, Row[]>();
  for (const item of items) {
    const children: Row[] = [];
    if (item.kind === 'tool') {
      childrenOf.set(item.id, children);
    }
    const above =
      'parentToolId' in item && item.parentToolId !== undefined ? childrenOf.get(item.parentToolId) : undefined;
    (above ?? rows).push({ item, children });
  }
  return rows;
}

/** The ids on the way to an item, its own last; undefined when it is not among these. */
export function pathTo(rows: readonly Row[], itemId: string): string[] | undefined {
  for (const { item, children } of rows) {
    if (item.id === itemId) {
      return [item.id];
    }
    const below = children.length > 0 ? pathTo(children, itemId) : undefined;
    if (below) {
      return [item.id, ...below];
    }
  }
  return undefined;
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
