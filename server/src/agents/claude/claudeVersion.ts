/** The oldest version that every feature used here was run on. */
export const MINIMUM_VERSION = '2.1.197';

/** The version in the output of `claude --version`, such as `2.1.328 (Claude Code)`; undefined when there is none. */
export function versionIn(output: string): string | undefined {
  return /^\s*v?(\d+\.\d+\.\d+)\b/.exec(output)?.[1];
}

/** Whether `version` is `minimum` or newer. Both are dotted numbers. */
export function atLeast(version: string, minimum: string): boolean {
  const wanted = minimum.split('.').map(Number);
  const given = version.split('.').map(Number);
  for (const [index, part] of wanted.entries()) {
    const difference = (given[index] ?? 0) - part;
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return true;
}
