import { isAbsolute } from 'node:path';
import type { CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { FileChange } from '../../../protocol/calls.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Forge, ForgeRepository } from '../forges/forge.ts';
import { listChanges } from '../git/diff.ts';
import { composeCommit, firstParent, pushBranch, readRemoteBranches, sameTree, userIdentity } from '../git/land.ts';
import type { Mirror } from '../git/mirrors.ts';
import { branchName } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { Runtime } from './runtime.ts';
import { mirrorOf } from './workspace.ts';

const FALLBACK_IDENTITY = { name: 'Sandpiper', email: 'sandpiper@localhost' };
const MAX_LISTED_FILES = 50;

export interface Landed {
  pullRequest: PullRequest;
  created: boolean;
  landed: NonNullable<Runtime['landed']>;
}

/**
 * Pushes the proposed tree as one commit on the session's branch and opens, finds or updates its pull request. Every step
 * may be repeated: what is about to be pushed is written down before, and the forge is asked where the branch is, so a
 * kill or a failure at any point costs a repeat, never a second pull request, also when the agent worked on meanwhile.
 * @param record makes a part of the runtime durable
 */
export async function land(
  dependencies: Dependencies,
  { state, runtime }: { state: SessionState; runtime: Runtime },
  params: CheckedParams<'pullRequest.open'>,
  record: (runtime: Partial<Runtime>) => Promise<void>,
): Promise<Landed> {
  const { forge, repository } = forgeOf(dependencies, state);
  const token = params.token ?? dependencies.forgeToken(forge.id);
  if (token === undefined) {
    throw new SandpiperError('forge_unauthorized', `There is no token for ${repository.host}.`, {
      hint: 'Sign in to GitHub in VS Code, or set SANDPIPER_GITHUB_TOKEN for the relay.',
    });
  }
  const mirror = mirrorOf(dependencies, state);
  const upstream = await upstreamOf(mirror, state);
  const title = params.title ?? state.title;
  const { files, stats } = await listChanges(mirror, upstream, state.proposed);
  const branch =
    params.branch ?? runtime.landed?.branch ?? runtime.pushing?.branch ?? branchName(state.title, state.id);

  const remote = forge.pushCredential(repository, token);
  const heads = await readRemoteBranches(
    remote,
    [branch, state.repository.branch].filter(name => name !== undefined),
  );
  const { previous, expectedRemote } = whereWeAre(runtime, branch, heads.get(branch));
  const commit = await commitToPush(mirror, { state, runtime, title, upstream, previous });
  await record({ pushing: { branch, commit } });
  await pushBranch(mirror, { ...remote, commit, branch, expectedRemote });
  const known = runtime.landed?.branch === branch ? runtime.landed.number : undefined;
  await record({ landed: { branch, commit, ...(known === undefined ? {} : { number: known }) } });

  const opened = await forge.openPullRequest({
    repository,
    token,
    branch,
    baseBranch: params.baseBranch ?? presentBase(state, heads) ?? (await forge.defaultBranch(repository, token)),
    headCommit: commit,
    title,
    body: params.body ?? pullRequestBody(state, files, stats, params.issue),
    draft: params.draft,
    ...(known === undefined ? {} : { known }),
  });
  return { ...opened, landed: { branch, commit, number: opened.pullRequest.number } };
}

/**
 * The commit of the user's repository that the change is made on.
 * @throws `nothing_to_land` when there is no change
 */
async function upstreamOf(mirror: Mirror, state: SessionState): Promise<string> {
  const upstream = state.includesUncommitted ? await firstParent(mirror, state.base) : state.base;
  if (await sameTree(mirror, upstream, state.proposed)) {
    throw new SandpiperError(
      'nothing_to_land',
      'This session has changed no file, so there is nothing to open a pull request for.',
      { hint: 'Send the agent a message first.' },
    );
  }
  return upstream;
}

/** The last pushed commit when it has these files already, else a new one on top of it. */
async function commitToPush(
  mirror: Mirror,
  {
    state,
    runtime,
    title,
    upstream,
    previous,
  }: { state: SessionState; runtime: Runtime; title: string; upstream: string; previous: string | undefined },
): Promise<string> {
  if (previous !== undefined && (await sameTree(mirror, previous, state.proposed))) {
    return previous;
  }
  return composeCommit(mirror, {
    treeOf: state.proposed,
    parent: previous ?? upstream,
    message: `${title}\n\nSandpiper-Session: ${state.id}\n`,
    author: (await authorOf(runtime.source)) ?? FALLBACK_IDENTITY,
    committer: FALLBACK_IDENTITY,
    // The time of the checkpoint: a repeat makes the same commit.
    at: state.turns.findLast(turn => turn.checkpoint)?.checkpoint?.at ?? state.createdAt,
  });
}

/** One landing of a session at a time: two at once would both find no pull request and open one each. */
export class LandingQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<Result>(sessionId: string, action: () => Promise<Result>): Promise<Result> {
    const result = (this.#tails.get(sessionId) ?? Promise.resolve()).then(action);
    const tail = result
      .catch(() => {})
      .then(() => {
        if (this.#tails.get(sessionId) === tail) {
          this.#tails.delete(sessionId);
        }
      });
    this.#tails.set(sessionId, tail);
    return result;
  }
}

/**
 * What to build the next commit on, and where the branch must be for the push. Pure. A push whose end was not seen may
 * have arrived; a branch that is gone was merged and removed, and is made again.
 */
export function whereWeAre(
  { landed, pushing }: Pick<Runtime, 'landed' | 'pushing'>,
  branch: string,
  head: string | undefined,
): { previous: string | undefined; expectedRemote: string | undefined } {
  const known = [landed, pushing].flatMap(push => (push?.branch === branch ? [push.commit] : []));
  if (head !== undefined && known.includes(head)) {
    return { previous: head, expectedRemote: head };
  }
  const previous = landed?.branch === branch ? landed.commit : undefined;
  return { previous, expectedRemote: head === undefined ? undefined : previous };
}

/** The branch that the session started from, when the forge has it too. */
function presentBase(state: SessionState, heads: ReadonlyMap<string, string>): string | undefined {
  const { branch } = state.repository;
  return branch !== undefined && heads.has(branch) ? branch : undefined;
}

/** Who the user is, as far as their repository can still be asked. */
async function authorOf(source: string): ReturnType<typeof userIdentity> {
  return isAbsolute(source) ? userIdentity(source).catch(() => undefined) : undefined;
}

function forgeOf(dependencies: Dependencies, state: SessionState): { forge: Forge; repository: ForgeRepository } {
  const { remoteUrl, name } = state.repository;
  if (remoteUrl === undefined) {
    throw new SandpiperError('no_forge', `${name} has no remote, so there is nowhere to open a pull request.`, {
      hint: 'Add one with `git remote add origin <url>` and start a new session.',
    });
  }
  for (const forge of dependencies.forges) {
    const repository = forge.match(remoteUrl);
    if (repository) {
      return { forge, repository };
    }
  }
  throw new SandpiperError('no_forge', `The remote ${remoteUrl} is on no forge that this relay knows.`, {
    hint: 'For GitHub Enterprise Server, name its host in SANDPIPER_GITHUB_HOSTS.',
  });
}

/** What was asked and what changed. */
function pullRequestBody(
  state: SessionState,
  files: readonly FileChange[],
  stats: SessionState['stats'],
  issue: number | undefined,
): string {
  const asked = state.items.flatMap(item => (item.kind === 'message' ? [quote(item.text)] : []));
  const listed = files
    .slice(0, MAX_LISTED_FILES)
    .map(file => `- \`${file.path}\` (${file.status}, +${file.insertions} −${file.deletions})`);
  const more = files.length > listed.length ? [`- and ${files.length - listed.length} more`] : [];
  return [
    '## What was asked',
    ...asked,
    '## What changed',
    `${stats.files} file${stats.files === 1 ? '' : 's'}, +${stats.insertions} −${stats.deletions}`,
    [...listed, ...more].join('\n'),
    ...(state.includesUncommitted
      ? ['The work started from uncommitted changes, which are part of this pull request.']
      : []),
    ...(issue === undefined ? [] : [`Closes #${issue}`]),
    `<!-- sandpiper:session=${state.id} -->`,
  ].join('\n\n');
}

/** A message as a quotation; mentions must not notify anybody and no issue may be closed by it. */
function quote(text: string): string {
  const safe = text
    .slice(0, 4000)
    .replace(/<!--/g, '&lt;!--')
    .replace(/@(?=[a-z0-9])/gi, '@\u200B')
    .replace(/#(?=\d)/g, '#\u200B');
  return safe
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n');
}
