import type { Runtime } from './runtime.ts';

/** Where a branch of the forge is, as a session sees it. */
export interface BranchPlace {
  /** The last commit of the session's own line; the next is made on top of it. Undefined before the first. */
  ours: string | undefined;
  /** Where the branch must be for the push; undefined: it must not exist. */
  expectedRemote: string | undefined;
  /** What the branch has besides our line, which the next commit must be joined with. */
  joined: string | undefined;
  /** The branch is at a commit that this session did not put there. */
  foreign: boolean;
}

/**
 * Pure. A push whose end was not seen may have arrived; a branch that is gone was merged and removed, and is made again.
 */
export function placeOfBranch(
  { landed, pushing }: Pick<Runtime, 'landed' | 'pushing'>,
  branch: string,
  head: string | undefined,
): BranchPlace {
  const pushes = [landed, pushing].flatMap(push => (push?.branch === branch ? [push] : []));
  const last = landed?.branch === branch ? (landed.ours ?? landed.commit) : undefined;
  if (head === undefined) {
    return { ours: last, expectedRemote: undefined, joined: undefined, foreign: false };
  }
  const arrived = pushes.find(push => push.commit === head);
  if (!arrived) {
    return { ours: last, expectedRemote: head, joined: head, foreign: true };
  }
  return { ours: arrived.ours ?? head, expectedRemote: head, joined: arrived.ours && head, foreign: false };
}
