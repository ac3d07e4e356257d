import { SandpiperError } from '../../../protocol/errors.ts';
import { readRemoteBranches } from '../git/land.ts';
import type { Mirror } from '../git/mirror.ts';
import type { Remote } from '../git/remote.ts';
import { theirsRef } from '../git/refs.ts';
import { describeTheirs, fetchBranch, isIn, mergeTrees, type Theirs } from '../git/theirs.ts';
import type { BranchPlace } from './branchPlace.ts';

export interface JoinSpec {
  sessionId: string;
  remote: Remote;
  branch: string;
  place: BranchPlace;
  /** The last commit of the session's own line, with the proposed files. */
  ours: string;
  /** The commit of the user's repository that the line begins at. */
  upstream: string;
  /** Whether the person agreed to add to what others pushed. */
  withTheirs: boolean;
}

/** What to push, and where the branch must be for that. */
export interface Joined {
  commit: string;
  expectedRemote: string | undefined;
  /** For the session's log: whose commits were kept. */
  notices: string[];
}

/**
 * Joins the session's line with what else is on the branch, so that a push only ever adds to it.
 * @param merge makes the commit of a merged tree on top of two others
 * @throws `conflict` when others pushed to the branch and the person has not agreed, or when it cannot be merged
 */
export async function joinTheirs(
  mirror: Mirror,
  spec: JoinSpec,
  merge: (tree: string, parents: readonly [string, string]) => Promise<string>,
): Promise<Joined> {
  const { place, ours, branch, remote } = spec;
  if (place.joined === undefined) {
    return { commit: ours, expectedRemote: place.expectedRemote, notices: [] };
  }
  const head = place.foreign ? await fetchBranch(mirror, remote, branch, theirsRef(spec.sessionId)) : place.joined;
  if (await isIn(mirror, ours, head)) {
    return { commit: head, expectedRemote: head, notices: [] };
  }
  if (await isIn(mirror, head, ours)) {
    return { commit: ours, expectedRemote: head, notices: [] };
  }
  const theirs = await describeTheirs(mirror, head, [ours, spec.upstream]);
  if (place.foreign && !spec.withTheirs) {
    throw await othersWereThere(spec, theirs);
  }
  const merged = await mergeTrees(mirror, head, ours);
  if ('conflicts' in merged) {
    throw await cannotMerge(spec, theirs, merged.conflicts);
  }
  return {
    commit: await merge(merged.tree, [head, ours]),
    expectedRemote: head,
    notices: place.foreign ? [`${branch} keeps ${theirs.text}. The agent's clone does not have them.`] : [],
  };
}

async function othersWereThere(spec: JoinSpec, theirs: Theirs): Promise<SandpiperError> {
  const suggestedBranch = await freeBranch(spec);
  return new SandpiperError('conflict', `${spec.branch} has ${theirs.text}. Nothing was pushed.`, {
    hint: `Keep them and add this session's change, or land on another branch such as ${suggestedBranch}.`,
    details: { branch: spec.branch, suggestedBranch, mayKeepTheirs: true },
  });
}

async function cannotMerge(spec: JoinSpec, theirs: Theirs, files: string[]): Promise<SandpiperError> {
  const suggestedBranch = await freeBranch(spec);
  return new SandpiperError(
    'conflict',
    `${spec.branch} has ${theirs.text}, which cannot be merged with this session's change: both change ${files.join(', ')}. Nothing was pushed.`,
    {
      hint: `Land on another branch such as ${suggestedBranch}, or have the agent make their change too.`,
      details: { branch: spec.branch, suggestedBranch, mayKeepTheirs: false },
    },
  );
}

/** A name near the branch's own that the forge does not have yet. */
async function freeBranch({ branch, remote }: JoinSpec): Promise<string> {
  const names = [2, 3, 4, 5, 6, 7, 8, 9].map(number => `${branch}-${number}`);
  const taken = await readRemoteBranches(remote, names);
  return names.find(name => !taken.has(name)) ?? `${branch}-${Date.now()}`;
}
