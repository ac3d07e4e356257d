/*
 * Texts whose lines are all different, as those of a chaos session are. A merge of such texts can be told line by line,
 * without knowing how git does it.
 */

type Lines = readonly string[];

/** The lines that a three-way merge must have: where one side differs from the base, it is right. */
export function mergedLines(base: Lines, ours: Lines, theirs: Lines): Set<string> {
  const [inBase, inOurs, inTheirs] = [base, ours, theirs].map(lines => new Set(lines));
  return new Set(
    [...new Set([...base, ...ours, ...theirs])].filter(line => {
      const isOurs = inOurs?.has(line) ?? false;
      return isOurs === inBase?.has(line) ? inTheirs?.has(line) : isOurs;
    }),
  );
}

export function sameLines(one: Lines, other: Lines): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index]);
}

/** Whether these are exactly the lines of a set, each once, some of them left out of account. */
export function hasLines(lines: Lines, wanted: ReadonlySet<string>, apart: (line: string) => boolean): boolean {
  const left = lines.filter(line => !apart(line));
  const rest = [...wanted].filter(line => !apart(line));
  return left.length === rest.length && left.every(line => wanted.has(line)) && new Set(left).size === left.length;
}

/** Whether every line that came or went since `before` is as `like` has it. */
export function movesTowards(before: Lines, after: Lines, like: Lines): boolean {
  const [was, is, model] = [before, after, like].map(lines => new Set(lines));
  return [...before, ...after].every(line => was?.has(line) === is?.has(line) || is?.has(line) === model?.has(line));
}

/** What stands after the lines of `before`; undefined when these are not the beginning. */
export function tailAfter(before: Lines, after: Lines): string[] | undefined {
  return sameLines(before, after.slice(0, before.length)) ? after.slice(before.length) : undefined;
}
