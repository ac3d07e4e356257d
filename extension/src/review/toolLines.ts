import type { Blamed } from '../../../protocol/blame.ts';
import type { LineRange } from '../../../protocol/feedback.ts';
import type { Hunk } from '../../../protocol/review.ts';

/* From a tool call to the lines that it wrote. Pure. */

/** As many as the relay says the origin of at once. */
const MAX_LINES = 5000;

/** The lines to ask about: from the first pending change to the last; of a file without any, all. */
export function blamedRange(hunks: readonly Pick<Hunk, 'newStart' | 'newCount'>[]): LineRange {
  const [first] = hunks;
  if (!first) {
    return { start: 0, count: MAX_LINES };
  }
  const end = Math.max(...hunks.map(({ newStart, newCount }) => newStart + newCount));
  return { start: first.newStart, count: Math.min(MAX_LINES, Math.max(1, end - first.newStart)) };
}

/** The first line that a call wrote for certain, else the first that it may have written. */
export function lineOfTool(lines: readonly Blamed[], itemId: string): number | undefined {
  const ofTool = lines.filter(({ origin }) => origin.kind === 'turn' && origin.tools.some(({ id }) => id === itemId));
  const certain = ofTool.find(({ origin }) => origin.kind === 'turn' && origin.certain);
  return (certain ?? ofTool[0])?.start;
}
