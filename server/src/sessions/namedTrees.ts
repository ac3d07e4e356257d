import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { parseTreeName } from '../../../protocol/trees.ts';
import { tryGit } from '../git/git.ts';
import { inspectRepository } from '../git/inspect.ts';
import type { Mirror } from '../git/mirror.ts';
import { isBranchName } from '../git/refs.ts';
import type { Dependencies } from './dependencies.ts';
import type { Session } from './session.ts';
import { mirrorOf } from './workspace.ts';

/**
 * The commit that a name (protocol/trees.ts) means for a session at this moment; it is in the session's mirror. A branch
 * is read anew from the repository that the session came from.
 * @throws `not_found` for a turn, branch or commit that there is not, `invalid_params` for what is no name, and why the
 *   repository could not be read
 */
export async function commitOfTree(dependencies: Dependencies, session: Session, name: string): Promise<string> {
  const { state } = session.log;
  const tree = parseTreeName(name);
  switch (tree?.kind) {
    case 'side':
      return { base: state.base, accepted: state.accepted, proposed: state.proposed }[tree.side];
    case 'turn':
      return checkpointOf(state, tree.turn);
    case 'commit':
      return presentCommit(mirrorOf(dependencies, state), tree.commit);
    case 'branch':
      return branchHead(dependencies, session, tree.branch);
    case undefined:
      throw new SandpiperError('invalid_params', `"${name.slice(0, 100)}" names no tree.`, {
        hint: 'Name base, accepted, proposed, turn:<number>, branch:<name> or commit:<full id>.',
      });
  }
}

/** The commit that a turn ended with; of turn 0, the one that the session started from. @throws `not_found` */
export function checkpointOf(state: SessionState, number: number): string {
  if (number === 0) {
    return state.base;
  }
  const turn = state.turns.find(candidate => candidate.number === number);
  if (!turn?.checkpoint) {
    throw new SandpiperError(
      'not_found',
      turn ? `Turn ${number} has no checkpoint yet.` : `There is no turn ${number} in this session.`,
      { hint: turn ? 'Wait until it is done.' : `It has turns 1 to ${state.turns.length}; 0 is where it started.` },
    );
  }
  return turn.checkpoint.commit;
}

async function presentCommit(mirror: Mirror, commit: string): Promise<string> {
  const { code } = await tryGit(['cat-file', '-e', `${commit}^{commit}`], { gitDir: mirror.path });
  if (code !== 0) {
    throw new SandpiperError('not_found', `There is no commit ${commit.slice(0, 12)} in this repository's mirror.`, {
      hint: 'It may have been removed since, or belong to another repository.',
    });
  }
  return commit;
}

async function branchHead(dependencies: Dependencies, { log }: Session, branch: string): Promise<string> {
  if (!isBranchName(branch)) {
    throw new SandpiperError('invalid_params', `"${branch}" is not the name of a branch.`);
  }
  const { source } = log.runtime;
  const header = await dependencies.sourceAccess.headerFor(source);
  const inspected = await inspectRepository(source, {
    base: branch,
    withoutWorkTree: true,
    ...(header === undefined ? {} : { header }),
  });
  await dependencies.mirrors.ensure(inspected, inspected.head, header);
  return inspected.head;
}
