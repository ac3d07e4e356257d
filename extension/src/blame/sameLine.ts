import { moveAnchor } from '../../../protocol/anchor.ts';

/**
 * Pure. Where a line of one text is in another, only where that can be told: it stands once in both, or between the same
 * lines as before.
 */
export function sameLine(from: readonly string[], to: readonly string[], line: number): number | undefined {
  const text = from[line];
  const moved = moveAnchor(from, to, { start: line, count: 1 });
  if (text === undefined || moved?.how !== 'exact') {
    return undefined;
  }
  const { start } = moved.lines;
  const isOnly = text.trim() !== '' && [from, to].every(lines => lines.indexOf(text) === lines.lastIndexOf(text));
  const isBetween = from[line - 1] === to[start - 1] || from[line + 1] === to[start + 1];
  return isOnly || isBetween ? start : undefined;
}
