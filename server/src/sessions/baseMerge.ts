import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { composeCommit } from '../git/land.ts';
import type { Mirror } from '../git/mirror.ts';
import { isIn, mergeTrees } from '../git/theirs.ts';
import { repositoryCommit } from './landing.ts';

/*
 * A session with what its base branch has since. Each side of the review is merged by itself, from commits that all go back
 * to the session's base: what both got from the base branch is no difference of theirs, and every other one stays.
 */

const SANDPIPER = { name: 'Sandpiper', email: 'sandpiper@localhost' };

/** The commits of a session on another base. */
export interface OnBase {
  base: string;
  accepted: string;
  checkpoint: string;
  proposed: string;
  /** The further commit that was asked for. */
  saved: string;
}

export interface Base {
  /** What the base branch is at; it is in the mirror. */
  commit: string;
  branch: string;
  /** The time of the commits that are made: the same again gives the same ones. */
  at: number;
}

/**
 * Makes commits and no ref.
 * @param saved one more commit to merge: files as they are
 */
export async function mergeBase(
  mirror: Mirror,
  state: SessionState,
  into: Base,
  saved: string,
): Promise<OnBase | { conflicts: string[] }> {
  const base = await nextBase(mirror, state, into);
  if (typeof base !== 'string') {
    return base;
  }
  const merged = new Map([[state.base, base]]);
  const conflicts = new Set<string>();
  const checkpoint = currentCheckpoint(state);
  for (const commit of new Set([state.accepted, checkpoint, state.proposed, saved])) {
    const result = merged.get(commit) ?? (await mergeInto(mirror, commit, base, into));
    if (typeof result === 'string') {
      merged.set(commit, result);
    } else {
      result.conflicts.forEach(path => conflicts.add(path));
    }
  }
  if (conflicts.size > 0) {
    return { conflicts: [...conflicts] };
  }
  const of = (commit: string): string => merged.get(commit) ?? commit;
  return {
    base,
    accepted: of(state.accepted),
    checkpoint: of(checkpoint),
    proposed: of(state.proposed),
    saved: of(saved),
  };
}

/** Whether the session is made on this commit already, or on a later one. */
export async function hasBase(mirror: Mirror, state: SessionState, commit: string): Promise<boolean> {
  return isIn(mirror, commit, await repositoryCommit(mirror, state));
}

/** An earlier commit of the session with what was merged in since. @throws `conflict` */
export async function onPresentBase(mirror: Mirror, state: SessionState, commit: string): Promise<string> {
  if (state.startedFrom === undefined || (await isIn(mirror, state.base, commit))) {
    return commit;
  }
  const into = { commit: state.base, branch: 'the base', at: state.createdAt };
  const result = await mergeInto(mirror, commit, state.base, into);
  if (typeof result === 'string') {
    return result;
  }
  throw new SandpiperError(
    'conflict',
    `The base was merged in since, and those files cannot be merged with it: ${result.conflicts.join(', ')}.`,
    { hint: 'Start a new session from that turn instead.' },
  );
}

/** @param who the two that cannot be merged, in words */
export function cannotMerge(who: string, files: readonly string[]): SandpiperError {
  return new SandpiperError('conflict', `${who} change the same lines of ${files.join(', ')}. Nothing was changed.`, {
    hint: 'Merge them by hand on the branch of the pull request, or go on in a new session on the base as it is now.',
    details: { files: [...files] },
  });
}

/**
 * The branch itself where the session began on it. Uncommitted work that the session was begun with stays a part of its base,
 * and so do commits that the branch has not.
 */
async function nextBase(mirror: Mirror, state: SessionState, into: Base): Promise<string | { conflicts: string[] }> {
  if (!state.includesUncommitted && (await isIn(mirror, state.base, into.commit))) {
    return into.commit;
  }
  const merged = await mergeTrees(mirror, into.commit, state.base);
  return 'conflicts' in merged ? merged : compose(mirror, merged.tree, [into.commit, state.base], into);
}

async function mergeInto(
  mirror: Mirror,
  commit: string,
  base: string,
  into: Base,
): Promise<string | { conflicts: string[] }> {
  const merged = await mergeTrees(mirror, commit, base);
  return 'conflicts' in merged ? merged : compose(mirror, merged.tree, [commit, base], into);
}

function compose(mirror: Mirror, tree: string, parents: readonly string[], { branch, at }: Base): Promise<string> {
  return composeCommit(mirror, {
    treeOf: tree,
    parents,
    message: `Merge ${branch}`,
    author: SANDPIPER,
    committer: SANDPIPER,
    at,
  });
}
