import type { CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { pushBranch, pushRemote } from '../git/land.ts';
import type { Mirror } from '../git/mirror.ts';
import { baseRef, theirsRef, updateRef } from '../git/refs.ts';
import { fetchBranch, isIn, mergeTrees } from '../git/theirs.ts';
import { cannotMerge, hasBase, mergeBase } from './baseMerge.ts';
import { placeOfBranch } from './branchPlace.ts';
import type { Dependencies } from './dependencies.ts';
import type { RecordOf } from './idempotency.ts';
import { joinTheirs } from './joinTheirs.ts';
import { composer, forgeOf, forgeTokenOf, obeyPolicy } from './landing.ts';
import { landingPlace, tipOfBase, type LandingPlace } from './landingBase.ts';
import type { Runtime } from './runtime.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { failureOfUpdate, untilUpdated } from './untilUpdated.ts';
import { openPullOf, refuseBusy } from './updateDecisions.ts';
import { mirrorOf } from './workspace.ts';

/** A base branch as it is now, and the pull request that goes into it. */
interface Place {
  mirror: Mirror;
  pull: PullRequest;
  target: LandingPlace;
  /** The commit of the base branch. */
  tip: string;
}

/** What the branch of the pull request is to be at. */
interface Push {
  commit: string;
  /** The session's own line in it. */
  ours: string;
  expectedRemote: string | undefined;
  notices: string[];
}

/**
 * Merges what the base branch has since into the session, and into what is pushed. First everything is tried, so that a
 * conflict or a refusal by the policy changes nothing; then the session is changed, which a relay that was killed finishes
 * by itself; then the branch is pushed, which a repeat of the call does when it was cut off. Each part is left out where it
 * is done already.
 */
export async function updateFromBase(
  dependencies: Dependencies,
  sessions: Sessions,
  params: CheckedParams<'pullRequest.updateFromBase'>,
  record: RecordOf,
): Promise<CallResult<'pullRequest.updateFromBase'>> {
  const session = await sessions.get(params.sessionId);
  // One that was cut off by a kill goes on by itself.
  await untilUpdated(sessions, session);
  const place = await placeOf(dependencies, session, params.token);
  const { mirror, tip } = place;
  const isNew = !(await hasBase(mirror, session.log.state, tip));
  if (isNew) {
    await dependencies.requireRoom(session.id);
    const merged = await tryMerge(session, place);
    await obeyBase(dependencies, place, { ...session.log.state, ...merged }, await planPush(session, place));
    await updateSession(dependencies, sessions, session, place);
  }
  const push = await planPush(session, place);
  const landed = session.log.runtime.landed?.commit;
  const isDue = push !== undefined && (landed !== push.commit || push.commit !== push.expectedRemote);
  if (isDue) {
    await obeyBase(dependencies, place, session.log.state, push);
    await pushTo(dependencies, session, place, push);
  }
  let result = { updated: isNew || isDue, base: tip, pullRequest: place.pull, seq: session.log.state.seq };
  await session.record(({ pullRequest: before }) => {
    const pullRequest = pulled(before ?? place.pull, push);
    return {
      events: [
        ...(pullRequest === before ? [] : [{ type: 'pullRequestChanged', pullRequest } as const]),
        ...(push?.notices ?? []).map(text => ({ type: 'noticeRaised', level: 'info', text }) as const),
      ],
      call: seq => {
        result = { ...result, pullRequest, seq };
        return record(result);
      },
    };
  });
  return result;
}

async function placeOf(dependencies: Dependencies, session: Session, brought: string | undefined): Promise<Place> {
  const { state } = session.log;
  const pull = openPullOf(state);
  const { forge, repository } = forgeOf(dependencies, state);
  const token = await forgeTokenOf(dependencies, { forge, repository }, brought);
  const { branch, baseBranch } = pull;
  const target = await landingPlace({ forge, repository, token }, state, { branches: [branch], baseBranch });
  for (const name of [baseBranch, branch]) {
    if (!target.heads.has(name)) {
      throw new SandpiperError(
        'conflict',
        `The branch ${name} of pull request #${pull.number} is not there any more.`,
        {
          hint: 'Look at the pull request on its forge.',
        },
      );
    }
  }
  const mirror = mirrorOf(dependencies, state);
  return { mirror, pull, target, tip: await tipOfBase(mirror, state.id, target) };
}

/**
 * What is pushed with what the base branch has since: a merge of what is there, and no later work of the session.
 * Writes nothing but objects, and the ref that keeps what others pushed.
 * @returns undefined when others merged it in already
 * @throws `conflict` with the files
 */
async function planPush(session: Session, { mirror, pull, target, tip }: Place): Promise<Push | undefined> {
  const { state, runtime } = session.log;
  const { branch, baseBranch } = pull;
  const remote = pushRemote(target.credential);
  const place = placeOfBranch(runtime, branch, target.heads.get(branch));
  if (place.ours === undefined) {
    throw new SandpiperError('conflict', `This session has pushed nothing to ${branch}.`, {
      hint: 'Create the pull request first.',
    });
  }
  if (place.foreign) {
    const head = await fetchBranch(mirror, remote, branch, theirsRef(state.id));
    if (await isIn(mirror, tip, head)) {
      return undefined;
    }
  }
  const compose = await composer(mirror, state, runtime);
  const subject = `Merge ${baseBranch} into ${branch}`;
  const ours = await withBase(mirror, place.ours, tip, pull, tree =>
    compose({ treeOf: tree, parents: [place.ours ?? tip, tip], subject }),
  );
  const joined = await joinTheirs(
    mirror,
    { sessionId: state.id, remote, branch, place, ours, upstream: tip, withTheirs: true },
    (tree, parents) => compose({ treeOf: tree, parents, subject: `Merge what others pushed to ${branch}` }),
  );
  return { ...joined, ours };
}

async function withBase(
  mirror: Mirror,
  line: string,
  tip: string,
  { branch, baseBranch }: Pick<PullRequest, 'branch' | 'baseBranch'>,
  merge: (tree: string) => Promise<string>,
): Promise<string> {
  if (await isIn(mirror, tip, line)) {
    return line;
  }
  const merged = await mergeTrees(mirror, line, tip);
  if ('conflicts' in merged) {
    throw cannotMerge(`${baseBranch} and what is pushed to ${branch}`, merged.conflicts);
  }
  return merge(merged.tree);
}

/** What the base branch declares since must let the session's own line stay pushed. @throws `policy_refused` */
async function obeyBase(
  dependencies: Dependencies,
  { mirror, target, tip }: Place,
  state: Pick<SessionState, 'id' | 'accepted' | 'base'>,
  push: Push | undefined,
): Promise<void> {
  if (push) {
    await obeyPolicy(dependencies, { mirror, state, upstream: tip, commit: push.ours }, target);
  }
}

/**
 * The review as it will be; makes no ref.
 * @throws `conflict` while the session does something else, or with the files
 */
async function tryMerge(
  session: Session,
  { mirror, pull: { baseBranch: branch }, tip }: Place,
): Promise<Pick<SessionState, 'accepted' | 'base'>> {
  const { state, runtime } = session.log;
  refuseBusy(state, runtime);
  const into = { commit: tip, branch, at: state.updatedAt };
  const tried = await mergeBase(mirror, state, into, currentCheckpoint(state));
  if ('conflicts' in tried) {
    throw cannotMerge(`${branch} and this session`, tried.conflicts);
  }
  return { accepted: tried.accepted, base: tried.base };
}

/** Has the session take the step, and waits for it. @throws why it could not */
async function updateSession(
  dependencies: Dependencies,
  sessions: Sessions,
  session: Session,
  { mirror, pull: { baseBranch: branch }, tip }: Place,
): Promise<void> {
  await dependencies.ownership.confirm();
  // What the next look at the base replaces must be there when the step is taken.
  await updateRef(mirror, baseRef(tip), tip);
  const update = await session.perform((_agent, now: SessionState, runtime: Runtime) => {
    refuseBusy(now, runtime);
    return { events: [{ type: 'baseUpdateStarted', commit: tip, branch, by: 'owner' }] };
  });
  await untilUpdated(sessions, session);
  const failure = await failureOfUpdate(sessions, session.id, update);
  if (failure) {
    throw failure;
  }
}

async function pushTo(
  dependencies: Dependencies,
  session: Session,
  { pull, target }: Place,
  { commit, ours, expectedRemote }: Push,
): Promise<void> {
  const { branch, number } = pull;
  const push = { branch, commit, ...(commit === ours ? {} : { ours }) };
  const record = (runtime: Partial<Runtime>) => session.record(() => ({ events: [], runtime }));
  await record({ pushing: push });
  await dependencies.ownership.confirm();
  await pushBranch(mirrorOf(dependencies, session.log.state), { ...target.credential, commit, branch, expectedRemote });
  await record({ landed: { ...push, number } });
}

/** How it stands there is another matter now; whoever watches it looks again. */
function pulled(pull: PullRequest, push: Push | undefined): PullRequest {
  if (!push || pull.headCommit === push.commit) {
    return pull;
  }
  const { status: _status, ...rest } = pull;
  return { ...rest, headCommit: push.commit };
}
