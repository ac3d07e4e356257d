/**
 * The paths that a person who typed a few characters most likely means, the best first: names that begin with them, names
 * and paths that contain them, then those that have them in this order with others in between. Among equals the shorter.
 */
export function rankPaths(paths: readonly string[], query: string, limit: number): string[] {
  const wanted = query.toLowerCase();
  const classes: string[][] = [[], [], [], [], []];
  for (const path of paths) {
    const rank = rankOf(path.toLowerCase(), wanted);
    if (rank !== undefined) {
      classes[rank]?.push(path);
    }
  }
  const best: string[] = [];
  for (const found of classes) {
    if (best.length >= limit) {
      break;
    }
    best.push(...found.sort(byLength).slice(0, limit - best.length));
  }
  return best;
}

/** @param path and wanted in lower case */
function rankOf(path: string, wanted: string): number | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith(wanted)) {
    return 0;
  }
  if (name.includes(wanted)) {
    return 1;
  }
  if (path.includes(wanted)) {
    return 2;
  }
  return hasInOrder(name, wanted) ? 3 : hasInOrder(path, wanted) ? 4 : undefined;
}

function hasInOrder(text: string, wanted: string): boolean {
  let at = 0;
  for (const char of wanted) {
    at = text.indexOf(char, at) + 1;
    if (at === 0) {
      return false;
    }
  }
  return true;
}

function byLength(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}
