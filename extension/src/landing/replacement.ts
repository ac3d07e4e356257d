/** Pure. What to replace in a text so that it becomes another: all between what both begin and end with. Offsets in UTF-16. */
export function replacement(from: string, to: string): { start: number; end: number; text: string } {
  const most = Math.min(from.length, to.length);
  let start = 0;
  while (start < most && from[start] === to[start]) {
    start++;
  }
  // Neither a pair of surrogates nor a line end may be cut in half.
  while (start > 0 && (isHigh(from[start - 1]) || from[start - 1] === '\r')) {
    start--;
  }
  let tail = 0;
  while (tail < most - start && from[from.length - 1 - tail] === to[to.length - 1 - tail]) {
    tail++;
  }
  while (tail > 0 && (isLow(from[from.length - tail]) || from[from.length - tail] === '\n')) {
    tail--;
  }
  return { start, end: from.length - tail, text: to.slice(start, to.length - tail) };
}

function isHigh(character: string | undefined): boolean {
  return character !== undefined && /[\uD800-\uDBFF]/.test(character);
}

function isLow(character: string | undefined): boolean {
  return character !== undefined && /[\uDC00-\uDFFF]/.test(character);
}
