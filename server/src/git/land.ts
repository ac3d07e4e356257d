import { SandpiperError } from '../../../protocol/errors.ts';
import { gitText, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';
import { isBranchName, isCommitId } from './refs.ts';
import { remoteEnvironment, type Remote } from './remote.ts';
import { remoteFailure } from './remoteFailure.ts';
import { remoteProtocol } from './source.ts';
import { openUserRepository } from './userRepository.ts';

export interface Identity {
  name: string;
  email: string;
}

export interface ComposeSpec {
  /** The tree of the new commit, or a commit that has it. */
  treeOf: string;
  parents: readonly string[];
  message: string;
  author: Identity;
  committer: Identity;
  /** Milliseconds since the epoch; the same time again gives the same commit. Default: now. */
  at?: number;
}

export interface PushSpec {
  /** The remote without credentials. */
  url: string;
  /** One HTTP header as `Name: value`; handed over by environment. */
  header?: string | undefined;
  commit: string;
  /** Short name. */
  branch: string;
  /** The commit that the branch is at on the forge, as far as we know; undefined when it must not exist yet. */
  expectedRemote: string | undefined;
  /** Lets tests push to a folder. */
  allowFile?: boolean;
}

const PUSH_TIMEOUT_MS = 10 * 60_000;
const LIST_TIMEOUT_MS = 60_000;

/** One commit with the tree of `treeOf` on top of its parents. Not on a ref yet. */
export async function composeCommit(mirror: Mirror, spec: ComposeSpec): Promise<string> {
  if (!isCommitId(spec.treeOf) || !spec.parents.every(isCommitId)) {
    throw new SandpiperError('invalid_params', 'A commit is composed from commit ids.');
  }
  const date = `@${Math.floor((spec.at ?? Date.now()) / 1000)} +0000`;
  const parents = spec.parents.flatMap(parent => ['-p', parent]);
  return gitText(['commit-tree', `${spec.treeOf}^{tree}`, ...parents, '-F', '-'], {
    gitDir: mirror.path,
    env: {
      GIT_AUTHOR_NAME: personal(spec.author.name, 'Sandpiper'),
      GIT_AUTHOR_EMAIL: personal(spec.author.email, 'sandpiper@localhost'),
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: personal(spec.committer.name, 'Sandpiper'),
      GIT_COMMITTER_EMAIL: personal(spec.committer.email, 'sandpiper@localhost'),
      GIT_COMMITTER_DATE: date,
    },
    stdin: Buffer.from(spec.message.endsWith('\n') ? spec.message : `${spec.message}\n`),
  });
}

/**
 * Puts a commit on a branch of a remote, only if the branch is where we think it is. Succeeds when it is there already.
 * @throws `conflict` (the branch moved), `forge_refused` with the forge's reason, `forge_unauthorized`, `forge_unreachable`
 */
export async function pushBranch(mirror: Mirror, spec: PushSpec): Promise<void> {
  const { commit, branch, expectedRemote } = spec;
  if (!isCommitId(commit) || !isBranchName(branch) || (expectedRemote !== undefined && !isCommitId(expectedRemote))) {
    throw new SandpiperError('invalid_params', `Cannot push "${commit}" to the branch "${branch}".`);
  }
  const remote = pushRemote(spec);
  const ref = `refs/heads/${branch}`;
  const result = await tryGit(
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--no-signed',
      `--force-with-lease=${ref}:${expectedRemote ?? ''}`,
      '--',
      remote.url,
      `${commit}:${ref}`,
    ],
    { gitDir: mirror.path, env: remoteEnvironment(remote), timeoutMs: PUSH_TIMEOUT_MS },
  ).catch((thrown: unknown) => {
    throw thrown instanceof SandpiperError && thrown.code === 'timeout' ? unreachable(spec, thrown.message) : thrown;
  });
  if (result.code !== 0) {
    throw pushFailed(spec, `${result.stderr.toString('utf8')}\n${result.stdout.toString('utf8')}`);
  }
}

/**
 * Where branches are on a remote; one that does not exist is absent.
 * @throws `forge_unauthorized`, `forge_unreachable`
 */
export async function readRemoteBranches(
  spec: Pick<PushSpec, 'url' | 'header' | 'allowFile'>,
  branches: readonly string[],
): Promise<Map<string, string>> {
  const remote = pushRemote(spec);
  const refs = branches.filter(isBranchName).map(branch => `refs/heads/${branch}`);
  const result = await tryGit(['ls-remote', '--', remote.url, ...refs], {
    env: remoteEnvironment(remote),
    timeoutMs: LIST_TIMEOUT_MS,
  });
  if (result.code !== 0) {
    const { kind, reason, hint } = remoteFailure(result.stderr.toString('utf8'));
    const code = kind === 'unauthorized' ? 'forge_unauthorized' : 'forge_unreachable';
    throw new SandpiperError(code, `${spec.url} could not be read: ${reason}`, { hint });
  }
  const lines = result.stdout.toString('utf8').trimEnd().split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [commit = '', ref = ''] = line.split('\t');
      // A pattern also matches the end of a longer name.
      return refs.includes(ref) && isCommitId(commit) ? [[ref.slice('refs/heads/'.length), commit]] : [];
    }),
  );
}

/** Who the user is to git, if they ever said. */
export async function userIdentity(source: string, home?: string): Promise<Identity | undefined> {
  const { settings } = await openUserRepository(source, home);
  const name = settings.get('user.name');
  const email = settings.get('user.email');
  return name && email ? { name, email } : undefined;
}

/** A remote that Sandpiper pushes to. @throws `invalid_params` */
export function pushRemote(spec: Pick<PushSpec, 'url' | 'header' | 'allowFile'>): Remote {
  const protocol = remoteProtocol(spec.url) ?? (spec.allowFile ? 'file' : undefined);
  if (protocol === undefined) {
    throw new SandpiperError('invalid_params', `Sandpiper does not push to "${spec.url.slice(0, 200)}".`, {
      hint: 'Use a remote with an https or ssh URL.',
    });
  }
  return { url: spec.url, protocol, header: spec.header };
}

function pushFailed(spec: PushSpec, output: string): SandpiperError {
  const { kind, reason, hint } = remoteFailure(output);
  const what = `The push of ${spec.branch} to ${spec.url}`;
  switch (kind) {
    case 'stale':
      return new SandpiperError('conflict', `${what} was stopped: the branch is not where it was.`, { hint });
    case 'refused':
      return new SandpiperError('forge_refused', `${what} was refused: ${reason}`, { hint });
    case 'secret':
      return new SandpiperError('forge_refused', `${what} was refused: ${reason}`, {
        hint,
        details: { holdsSecret: true },
      });
    case 'unauthorized':
      return new SandpiperError('forge_unauthorized', `${what} was not allowed: ${reason}`, { hint });
    case 'unreachable':
      return unreachable(spec, reason);
  }
}

function unreachable(spec: PushSpec, reason: string): SandpiperError {
  return new SandpiperError(
    'forge_unreachable',
    `The push of ${spec.branch} to ${spec.url} did not arrive: ${reason}`,
    {
      hint: 'Check the network, then try again. Pushing again is safe.',
    },
  );
}

/** git refuses an empty name, and takes these characters out of others. */
function personal(text: string, fallback: string): string {
  return text.replace(/[\p{Cc}<>]/gu, '').trim() || fallback;
}

/** The commit below a snapshot. */
export async function firstParent(mirror: Mirror, commit: string): Promise<string> {
  return gitText(['rev-parse', '--verify', '--quiet', `${commit}^1`], { gitDir: mirror.path });
}

/** Whether two commits have the same files. */
export async function sameTree(mirror: Mirror, one: string, other: string): Promise<boolean> {
  const trees = await gitText(['rev-parse', `${one}^{tree}`, `${other}^{tree}`], { gitDir: mirror.path });
  const [first, second] = trees.split('\n');
  return first === second;
}
