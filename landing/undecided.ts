interface Conflict {
  /** The lines around it, in the text with markers. */
  before: string | undefined;
  base: string[];
  after: string | undefined;
}

/**
 * How many conflicts of a text with markers look undecided in what was made of it: markers are left, or there still is the
 * text from before both changes. Pure. An editor that shows a conflict as that text saves it without a mark.
 */
export function undecided(marked: string, result: string): number {
  const lines = linesOf(result);
  const left = lines.filter(line => /^<{7}( |$)/.test(line)).length;
  const untouched = conflictsOf(linesOf(marked)).filter(({ before, base, after }) =>
    contains(lines, [before, ...base, after]),
  ).length;
  return left + untouched;
}

function conflictsOf(lines: readonly string[]): Conflict[] {
  const conflicts: Conflict[] = [];
  let open: Conflict | undefined;
  let part: 'common' | 'ours' | 'base' | 'theirs' = 'common';
  for (const [index, line] of lines.entries()) {
    if (part === 'common' && /^<{7} /.test(line)) {
      open = { before: lines[index - 1], base: [], after: undefined };
      part = 'ours';
    } else if (part === 'ours' && /^\|{7} /.test(line)) {
      part = 'base';
    } else if (part === 'base' && line === '=======') {
      part = 'theirs';
    } else if (part === 'base') {
      open?.base.push(line);
    } else if (part === 'theirs' && open && /^>{7} /.test(line)) {
      conflicts.push({ ...open, after: lines[index + 1] });
      part = 'common';
    }
  }
  return conflicts;
}

/** Undefined stands for the start or the end of the text. */
function contains(lines: readonly string[], wanted: readonly (string | undefined)[]): boolean {
  const framed = [undefined, ...lines, undefined];
  return framed.some((_, start) =>
    wanted.every((line, index) => start + index < framed.length && framed[start + index] === line),
  );
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
