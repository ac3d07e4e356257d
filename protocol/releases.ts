/** Whether a version of Sandpiper is older than another. What is no version is neither older nor newer. */
export function isOlder(version: string, than: string): boolean {
  const [one, other] = [partsOf(version), partsOf(than)];
  if (!one || !other) {
    return false;
  }
  const different = one.findIndex((part, index) => part !== other[index]);
  return different !== -1 && (one[different] ?? 0) < (other[different] ?? 0);
}

/** Major, minor, patch; and 0 for a preview of that release, which comes before it. */
function partsOf(version: string): number[] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)(-)?/.exec(version);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3]), match[4] === undefined ? 1 : 0] : undefined;
}
