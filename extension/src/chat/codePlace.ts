/** Lines `from` to before `to` become these. */
export interface LineEdit {
  from: number;
  to: number;
  lines: readonly string[];
}

/** Where code of an answer belongs in a file. */
export type CodePlace =
  | { kind: 'edits'; edits: LineEdit[] }
  /** Nothing in the file says where it belongs. */
  | { kind: 'unclear' }
  /** It says where it belongs, and the file has no such place. */
  | { kind: 'unfit'; part: number; parts: number };

/**
 * Finds the place of code without guessing: a diff goes where its old lines stand, and a piece that begins and ends with
 * lines of the file replaces what stands between them. Everything else is for a person to say.
 * @param lines the file as it is
 */
export function codePlace(
  lines: readonly string[],
  { text, language }: { text: string; language?: string },
): CodePlace {
  const code = text.replace(/\n$/, '').split('\n');
  if (language === 'diff' || language === 'patch') {
    return diffPlace(lines, code);
  }
  if (lines.every(line => line.trim() === '')) {
    return { kind: 'edits', edits: [{ from: 0, to: lines.length, lines: code }] };
  }
  return betweenEnds(lines, code);
}

function betweenEnds(lines: readonly string[], code: readonly string[]): CodePlace {
  const firstAt = code.findIndex(line => line.trim() !== '');
  const lastAt = code.findLastIndex(line => line.trim() !== '');
  const first = code[firstAt];
  const last = code[lastAt];
  if (first === undefined || last === undefined || firstAt === lastAt) {
    return { kind: 'unclear' };
  }
  const starts = indexesOf(lines, line => line.trim() === first.trim());
  const [from] = starts;
  if (from === undefined || starts.length > 1) {
    return { kind: 'unclear' };
  }
  const deeper = indentOf(lines[from] ?? '').length - indentOf(first).length;
  const to = lines.findIndex(
    (line, index) =>
      index > from && line.trim() === last.trim() && indentOf(line).length - indentOf(last).length === deeper,
  );
  return to < 0
    ? { kind: 'unclear' }
    : {
        kind: 'edits',
        edits: [{ from, to: to + 1, lines: indented(code.slice(firstAt, lastAt + 1), lines[from] ?? '', first) }],
      };
}

/** The code with the indentation that its first line has in the file. */
function indented(code: readonly string[], there: string, here: string): string[] {
  const before = indentOf(here);
  const after = indentOf(there);
  return code.map(line => (line.trim() === '' || !line.startsWith(before) ? line : after + line.slice(before.length)));
}

function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

interface Hunk {
  /** Where it says that it begins, from 0. */
  at: number | undefined;
  before: string[];
  after: string[];
}

function diffPlace(lines: readonly string[], code: readonly string[]): CodePlace {
  const hunks = hunksOf(code);
  const edits: LineEdit[] = [];
  let from = 0;
  for (const [index, { at, before, after }] of hunks.entries()) {
    const found = placeOfLines(lines, before, from, at);
    if (found === undefined) {
      return { kind: 'unfit', part: index + 1, parts: hunks.length };
    }
    edits.push({ from: found, to: found + before.length, lines: after });
    from = found + before.length;
  }
  return edits.length === 0 ? { kind: 'unclear' } : { kind: 'edits', edits };
}

function hunksOf(code: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  for (const line of code) {
    const head = /^@@ -(\d+)/.exec(line);
    if (head || line.startsWith('@@')) {
      hunks.push({ at: head ? Math.max(0, Number(head[1]) - 1) : undefined, before: [], after: [] });
      continue;
    }
    if (/^(diff |index |--- |\+\+\+ |new file|deleted file|\\ No newline)/.test(line)) {
      continue;
    }
    if (hunks.length === 0) {
      hunks.push({ at: undefined, before: [], after: [] });
    }
    const hunk = hunks.at(-1);
    const text = line.slice(1);
    if (!line.startsWith('+')) {
      hunk?.before.push(text);
    }
    if (!line.startsWith('-')) {
      hunk?.after.push(text);
    }
  }
  return hunks.filter(({ before, after }) => before.length + after.length > 0);
}

/** The place nearest to where the lines are said to stand. Without a word for it there must be one place only. */
function placeOfLines(
  lines: readonly string[],
  wanted: readonly string[],
  from: number,
  at: number | undefined,
): number | undefined {
  if (wanted.length === 0) {
    return at === undefined ? undefined : Math.min(Math.max(at, from), lines.length);
  }
  const places = indexesOf(
    lines,
    (_line, index) => index >= from && wanted.every((one, offset) => lines[index + offset] === one),
  );
  if (at === undefined) {
    return places.length === 1 ? places[0] : undefined;
  }
  return places.toSorted((one, other) => Math.abs(one - at) - Math.abs(other - at))[0];
}

function indexesOf(lines: readonly string[], fits: (line: string, index: number) => boolean): number[] {
  return lines.flatMap((line, index) => (fits(line, index) ? [index] : []));
}
