import { GlobError } from './globError.ts';

/** Whether the name of one file or folder fits. */
export type SegmentMatcher = (name: string) => boolean;

type Token = { kind: 'star' } | { kind: 'one'; fits: (char: string) => boolean };

/**
 * A part of a pattern between slashes: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a character that stands for itself.
 * @throws GlobError
 */
export function compileSegment(text: string): SegmentMatcher {
  const tokens = tokensOf(Array.from(text));
  return name => fits(tokens, Array.from(name));
}

/** Goes back to the last star only: trying more of them finds nothing else. */
function fits(tokens: readonly Token[], chars: readonly string[]): boolean {
  let token = 0;
  let char = 0;
  let star = -1;
  let resume = 0;
  while (char < chars.length) {
    const expected = tokens[token];
    if (expected?.kind === 'star') {
      star = token++;
      resume = char;
    } else if (expected?.kind === 'one' && expected.fits(chars[char] ?? '')) {
      token++;
      char++;
    } else if (star >= 0) {
      token = star + 1;
      char = ++resume;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'star');
}

function tokensOf(chars: readonly string[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < chars.length) {
    const char = chars[at] ?? '';
    if (char === '*') {
      tokens.push({ kind: 'star' });
      at++;
    } else if (char === '?') {
      tokens.push({ kind: 'one', fits: () => true });
      at++;
    } else if (char === '[') {
      const { fits: inClass, next } = readClass(chars, at + 1);
      tokens.push({ kind: 'one', fits: inClass });
      at = next;
    } else if (char === '{') {
      throw new GlobError(
        'has "{", which chooses nothing here; write a pattern for each, or "\\\\{" for the character',
      );
    } else {
      const literal = char === '\\' ? escaped(chars, at) : char;
      tokens.push({ kind: 'one', fits: given => given === literal });
      at += char === '\\' ? 2 : 1;
    }
  }
  return tokens;
}

function escaped(chars: readonly string[], at: number): string {
  const literal = chars[at + 1];
  if (literal === undefined) {
    throw new GlobError('ends with a backslash that stands before nothing');
  }
  return literal;
}

/** @param start behind the bracket */
function readClass(chars: readonly string[], start: number): { fits: (char: string) => boolean; next: number } {
  const negated = chars[start] === '!' || chars[start] === '^';
  const ranges: [low: string, high: string][] = [];
  let at = negated ? start + 1 : start;
  for (const first = at; chars[at] !== ']' || at === first;) {
    const [low, afterLow] = readMember(chars, at);
    at = afterLow;
    const isRange = chars[at] === '-' && chars[at + 1] !== ']' && chars[at + 1] !== undefined;
    const [high, afterHigh] = isRange ? readMember(chars, at + 1) : [low, at];
    if (high < low) {
      throw new GlobError(`has the range "${low}-${high}", in which nothing is`);
    }
    ranges.push([low, high]);
    at = afterHigh;
  }
  return { fits: char => ranges.some(([low, high]) => low <= char && char <= high) !== negated, next: at + 1 };
}

function readMember(chars: readonly string[], at: number): [char: string, next: number] {
  const char = chars[at];
  if (char === undefined) {
    throw new GlobError('has a "[" without its "]"; write "\\\\[" for the character');
  }
  if (char === '[' && chars[at + 1] === ':') {
    throw new GlobError('has a named class such as "[:alpha:]", which is not known here');
  }
  return char === '\\' ? [escaped(chars, at), at + 2] : [char, at + 1];
}
