/** A header stands at the top; behind a line for the system and a few of others. */
const MAX_HEAD_CHARS = 8_000;
const YEAR = '{year}';

/**
 * Whether the lines of a header stand in the top of a file, in order, whatever marks of a comment are around them.
 * `{year}` in one is a year, or two with a dash between.
 */
export function hasHeader(content: string, header: readonly string[]): boolean {
  const lines = content.slice(0, MAX_HEAD_CHARS).split('\n');
  let at = 0;
  for (const expected of header) {
    while (at < lines.length && !includes(lines[at] ?? '', expected)) {
      at++;
    }
    if (at++ >= lines.length) {
      return false;
    }
  }
  return true;
}

function includes(line: string, expected: string): boolean {
  return line.includes(expected) || line.replace(/\b\d{4}(?:\s*[-–]\s*\d{4})?\b/g, YEAR).includes(expected);
}
