import { isAbsolute } from 'node:path';
import type { CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Forge, ForgeRepository } from '../forges/forge.ts';
import { listChanges } from '../git/diff.ts';
import { composeCommit, firstParent, pushBranch, pushRemote, sameTree, userIdentity } from '../git/land.ts';
import type { Mirror } from '../git/mirror.ts';
import { isIn } from '../git/theirs.ts';
import { listPending } from '../review/pending.ts';
import { placeOfBranch } from './branchPlace.ts';
import { branchName } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import { joinTheirs } from './joinTheirs.ts';
import { landingPlace, type LandingPlace, tipOfBase } from './landingBase.ts';
import { policyReport, refuseByPolicy, type Landing } from './landingPolicy.ts';
import { chooseTree, refuseUndecided, type ChosenTree } from './landingTree.ts';
import { pullRequestBody } from './pullRequestBody.ts';
import { readDecisions, reviewReport } from './reviewReport.ts';
import type { Runtime } from './runtime.ts';
import { specReport } from './specReport.ts';
import { mirrorOf } from './workspace.ts';

const FALLBACK_IDENTITY = { name: 'Sandpiper', email: 'sandpiper@localhost' };

export interface Landed {
  pullRequest: PullRequest;
  created: boolean;
  landed: NonNullable<Runtime['landed']>;
  from: ChosenTree['from'];
  /** Undecided changes at the time. */
  pending: number;
  /** What the person should know, a sentence each. */
  notices: string[];
}

type Compose = (spec: { treeOf: string; parents: readonly string[]; subject: string }) => Promise<string>;

/**
 * Pushes the chosen tree as one commit on the session's branch and opens, finds or updates its pull request. Every step
 * may be repeated: what is about to be pushed is written down before, and the forge is asked where the branch is, so a
 * kill or a failure at any point costs a repeat, never a second pull request, also when the agent worked on meanwhile.
 * A push only adds: what others put on the branch is merged when the person agrees, and never overwritten.
 * @param record makes a part of the runtime durable
 */
export async function land(
  dependencies: Dependencies,
  { state, runtime }: { state: SessionState; runtime: Runtime },
  params: CheckedParams<'pullRequest.open'>,
  record: (runtime: Partial<Runtime>) => Promise<void>,
): Promise<Landed> {
  const { forge, repository } = forgeOf(dependencies, state);
  const token = await forgeTokenOf(dependencies, { forge, repository }, params.token);
  if (params.blockWhilePending) {
    refuseUndecided(state);
  }
  const mirror = mirrorOf(dependencies, state);
  const chosen = await chosenTree(mirror, state, params.from);
  const upstream = await upstreamOf(mirror, state, chosen);
  const title = params.title ?? state.title;
  const { files, stats } = await listChanges(mirror, upstream, chosen.commit);
  const branch =
    params.branch ?? runtime.landed?.branch ?? runtime.pushing?.branch ?? branchName(state.title, state.id);

  const target = await landingPlace({ forge, repository, token }, state, {
    branches: [branch],
    baseBranch: params.baseBranch,
  });
  const { credential, baseBranch, heads } = target;
  await obeyPolicy(dependencies, { mirror, state, upstream, commit: chosen.commit }, target);
  const place = placeOfBranch(runtime, branch, heads.get(branch));
  const compose = await composer(mirror, state, runtime);
  const ours = await ourCommit(mirror, { tree: chosen.commit, previous: place.ours, upstream, title }, compose);
  const { commit, expectedRemote, notices } = await joinTheirs(
    mirror,
    {
      sessionId: state.id,
      remote: pushRemote(credential),
      branch,
      place,
      ours,
      upstream,
      withTheirs: params.withTheirs,
    },
    (tree, parents) => compose({ treeOf: tree, parents, subject: `Merge what others pushed to ${branch}` }),
  );
  const push = { branch, commit, ...(commit === ours ? {} : { ours }) };
  await record({ pushing: push });
  await dependencies.ownership.confirm();
  await pushBranch(mirror, { ...credential, commit, branch, expectedRemote });
  const known = runtime.landed?.branch === branch ? runtime.landed.number : undefined;
  await record({ landed: { ...push, ...(known === undefined ? {} : { number: known }) } });

  const opened = await forge.openPullRequest({
    repository,
    token,
    branch,
    baseBranch,
    headCommit: commit,
    title,
    body:
      params.body ??
      pullRequestBody(
        state,
        { files, stats },
        await report(dependencies, { state, runtime }, chosen),
        await evidence(mirror, state, chosen),
        params.issue,
      ),
    draft: params.draft,
    ...(known === undefined ? {} : { known }),
  });
  return {
    ...opened,
    landed: { ...push, number: opened.pullRequest.number },
    from: chosen.from,
    pending: state.review.pending,
    notices,
  };
}

/** What the base branch declares must let it land. @throws `policy_refused` */
export async function obeyPolicy(
  { secrets }: Pick<Dependencies, 'secrets'>,
  landing: Landing & { state: Pick<SessionState, 'id'> },
  target: LandingPlace,
): Promise<void> {
  const base = { branch: target.baseBranch, commit: await tipOfBase(landing.mirror, landing.state.id, target) };
  refuseByPolicy(await policyReport(landing, base, secrets.search));
}

/** The tree that lands. @throws `nothing_to_land` */
export async function chosenTree(
  mirror: Mirror,
  state: SessionState,
  asked: ChosenTree['from'] | undefined,
): Promise<ChosenTree> {
  // A decision that was taken back may have left another commit with the same files.
  const hasAccepted = state.accepted !== state.base && !(await sameTree(mirror, state.accepted, state.base));
  return chooseTree(state, hasAccepted, asked);
}

/** Who reviewed what, for the pull request. */
async function report(
  dependencies: Dependencies,
  { state, runtime }: { state: SessionState; runtime: Runtime },
  { from }: ChosenTree,
): Promise<string[]> {
  const [decisions, pending, author] = await Promise.all([
    readDecisions(dependencies.store, state),
    listPending(mirrorOf(dependencies, state), state.accepted, state.proposed),
    authorOf(runtime.source),
  ]);
  return reviewReport({ decisions, pending, from, owner: author?.name ?? 'the owner of the session' });
}

/** What was to be built, and by which checks it is. */
async function evidence(mirror: Mirror, { spec }: SessionState, { commit }: ChosenTree): Promise<string[]> {
  return spec ? specReport(spec, spec.round !== undefined && (await sameTree(mirror, spec.round.commit, commit))) : [];
}

/** The commit that would be pushed, and where to; it is on no ref. @throws `nothing_to_land` */
export async function composeLanding(
  mirror: Mirror,
  { state, runtime }: { state: SessionState; runtime: Runtime },
  chosen: ChosenTree,
): Promise<{ commit: string; branch: string }> {
  const { landed, pushing } = runtime;
  const upstream = await upstreamOf(mirror, state, chosen);
  const compose = await composer(mirror, state, runtime);
  const previous = landed && (landed.ours ?? landed.commit);
  return {
    commit: await ourCommit(mirror, { tree: chosen.commit, previous, upstream, title: state.title }, compose),
    branch: landed?.branch ?? pushing?.branch ?? branchName(state.title, state.id),
  };
}

/** The commit of the user's repository that the session is made on. */
export function repositoryCommit(mirror: Mirror, state: SessionState): Promise<string> {
  return state.includesUncommitted ? firstParent(mirror, state.base) : Promise.resolve(state.base);
}

/**
 * The commit that the change is made on.
 * @throws `nothing_to_land` when there is no change
 */
async function upstreamOf(mirror: Mirror, state: SessionState, { commit }: ChosenTree): Promise<string> {
  const upstream = await repositoryCommit(mirror, state);
  if (await sameTree(mirror, upstream, commit)) {
    throw new SandpiperError('nothing_to_land', 'This session has changed no file, so there is nothing to land.', {
      hint: 'Send the agent a message first.',
    });
  }
  return upstream;
}

/** The last commit of our line when it has these files already, else a new one on top of it. */
async function ourCommit(
  mirror: Mirror,
  spec: { tree: string; previous: string | undefined; upstream: string; title: string },
  compose: Compose,
): Promise<string> {
  const { tree, previous, upstream, title } = spec;
  if (previous === undefined) {
    return compose({ treeOf: tree, parents: [upstream], subject: title });
  }
  // What was merged in from the base is in the files: without it in the history a forge would see it as changed here.
  const parents = (await isIn(mirror, upstream, previous)) ? [previous] : [previous, upstream];
  return parents.length === 1 && (await sameTree(mirror, previous, tree))
    ? previous
    : compose({ treeOf: tree, parents, subject: title });
}

/** Commits of this session have the time of its checkpoint: a repeat makes the same ones. */
export async function composer(mirror: Mirror, state: SessionState, runtime: Runtime): Promise<Compose> {
  const author = (await authorOf(runtime.source)) ?? FALLBACK_IDENTITY;
  const at = state.turns.findLast(turn => turn.checkpoint)?.checkpoint?.at ?? state.createdAt;
  return ({ treeOf, parents, subject }) =>
    composeCommit(mirror, {
      treeOf,
      parents,
      message: `${subject}\n\nSandpiper-Session: ${state.id}\n`,
      author,
      committer: FALLBACK_IDENTITY,
      at,
    });
}

/** Who the user is, as far as their repository can still be asked. */
async function authorOf(source: string): ReturnType<typeof userIdentity> {
  return isAbsolute(source) ? userIdentity(source).catch(() => undefined) : undefined;
}

/** @throws `forge_unauthorized` when there is none */
export async function forgeTokenOf(
  { forgeToken }: Pick<Dependencies, 'forgeToken'>,
  { forge, repository }: { forge: Forge; repository: ForgeRepository },
  brought: string | undefined,
): Promise<string> {
  const token = brought ?? (await forgeToken(repository, 'land'));
  if (token === undefined) {
    throw new SandpiperError('forge_unauthorized', `There is no token for ${repository.host}.`, {
      hint: forge.tokenHint(repository),
    });
  }
  return token;
}

/** @throws `no_forge` */
export function forgeOf(
  dependencies: Dependencies,
  state: SessionState,
): { forge: Forge; repository: ForgeRepository } {
  const { remoteUrl, name } = state.repository;
  if (remoteUrl === undefined) {
    throw new SandpiperError('no_forge', `${name} has no remote, so there is nowhere to open a pull request.`, {
      hint: 'Add one with `git remote add origin <url>` and start a new session.',
    });
  }
  const found = findForge(dependencies, state);
  if (!found) {
    throw new SandpiperError('no_forge', `The remote ${remoteUrl} is on no forge that this relay knows.`, {
      hint: 'Name the host of a server of your own in SANDPIPER_GITHUB_HOSTS, SANDPIPER_GITEA_HOSTS or SANDPIPER_GITLAB_HOSTS.',
    });
  }
  return found;
}

/** Undefined when the repository has no remote on a forge of this relay. */
export function findForge(
  { forges }: Pick<Dependencies, 'forges'>,
  { repository: { remoteUrl } }: Pick<SessionState, 'repository'>,
): { forge: Forge; repository: ForgeRepository } | undefined {
  if (remoteUrl === undefined) {
    return undefined;
  }
  for (const forge of forges) {
    const repository = forge.match(remoteUrl);
    if (repository) {
      return { forge, repository };
    }
  }
  return undefined;
}
