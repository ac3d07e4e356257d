import type { Match } from '../state/find.ts';

/* What was found is marked over the text and not in it: the nodes of an answer belong to whoever draws it. */

const ALL = 'sandpiper-found';
const CURRENT = 'sandpiper-found-now';
/** A row that is brought into sight comes with its code and its folds. */
const MAX_FRAMES = 90;

/** Marks the text in the row of a match, when the row is there. @returns takes the marks away */
export function markMatch({ itemId, nth }: Match, query: string): () => void {
  let frame = 0;
  let frames = 0;
  const look = (): void => {
    const row = document.querySelector(`[data-row="${CSS.escape(itemId)}"]`);
    const ranges = row ? rangesOf(row, query) : [];
    if (ranges.length === 0 && frames++ < MAX_FRAMES) {
      frame = requestAnimationFrame(look);
      return;
    }
    // What is folded in the row is not drawn: then the nearest is better than none.
    const now = ranges[Math.min(nth, ranges.length - 1)];
    paint(ALL, ranges);
    paint(CURRENT, now ? [now] : []);
    now?.startContainer.parentElement?.scrollIntoView({ block: 'nearest' });
  };
  look();
  return () => {
    cancelAnimationFrame(frame);
    clearMarks();
  };
}

export function clearMarks(): void {
  paint(ALL, []);
  paint(CURRENT, []);
}

/** Browsers that cannot mark text show the row, without marks. */
function paint(name: string, ranges: readonly Range[]): void {
  if (!('highlights' in CSS)) {
    return;
  }
  if (ranges.length === 0) {
    CSS.highlights.delete(name);
  } else {
    CSS.highlights.set(name, new Highlight(...ranges));
  }
}

function rangesOf(row: Element, query: string): Range[] {
  const wanted = query.toLowerCase();
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  const ranges: Range[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = (node.nodeValue ?? '').toLowerCase();
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, Math.min(at + wanted.length, (node.nodeValue ?? '').length));
      ranges.push(range);
    }
  }
  return ranges;
}
