/*
 * How a tree is named in calls, addresses and on the command line: `base`, `accepted`, `proposed`, `turn:3` (0: where the
 * session started), `branch:main` of the session's repository as it is now, `commit:<full id>`.
 */

export type TreeName =
  | { kind: 'side'; side: 'base' | 'accepted' | 'proposed' }
  | { kind: 'turn'; turn: number }
  | { kind: 'branch'; branch: string }
  | { kind: 'commit'; commit: string };

/** What the text of a tree's name looks like. */
export const TREE_NAME = /^(?:base|accepted|proposed|turn:\d{1,9}|branch:[^\p{Cc}]{1,250}|commit:[0-9a-f]{40})$/u;

/** Undefined for what is no name of a tree. */
export function parseTreeName(text: string): TreeName | undefined {
  if (!TREE_NAME.test(text)) {
    return undefined;
  }
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (colon < 0 ? text : text.slice(0, colon)) {
    case 'turn':
      return { kind: 'turn', turn: Number(rest) };
    case 'branch':
      return { kind: 'branch', branch: rest };
    case 'commit':
      return { kind: 'commit', commit: rest };
    case 'accepted':
      return { kind: 'side', side: 'accepted' };
    case 'proposed':
      return { kind: 'side', side: 'proposed' };
    default:
      return { kind: 'side', side: 'base' };
  }
}
