import { SandpiperError } from '../../../protocol/errors.ts';
import type { ProgramResult } from '../core/spawn.ts';
import { tryGit } from './git.ts';
import { isCommitId } from './refs.ts';
import { remoteFailure } from './remoteFailure.ts';
import type { RemoteProtocol } from './source.ts';

/** A repository elsewhere, and how to be let in. */
export interface Remote {
  url: string;
  protocol: RemoteProtocol;
  /** One HTTP header as `Name: value`. */
  header: string | undefined;
}

/**
 * The environment that lets one git talk to one remote. The header goes by environment, which other users of the machine
 * cannot read, and only to this URL; with one, redirects are refused, because git would take it along.
 */
export function remoteEnvironment(remote: Remote): Record<string, string> {
  const allowed = { GIT_ALLOW_PROTOCOL: remote.protocol, GIT_SSH_COMMAND: 'ssh -oBatchMode=yes' };
  if (remote.header === undefined) {
    return allowed;
  }
  if (!/^[\w-]+: [\x20-\x7e]+$/.test(remote.header)) {
    throw new SandpiperError('invalid_params', 'The credential is not one HTTP header.');
  }
  return {
    ...allowed,
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `http.${remote.url}.extraHeader`,
    GIT_CONFIG_VALUE_0: remote.header,
    GIT_CONFIG_KEY_1: 'http.followRedirects',
    GIT_CONFIG_VALUE_1: 'false',
  };
}

/**
 * The commit that a branch, tag or commit id names on a remote; its default branch when there is no name.
 * @throws `repository_unreachable`, `forge_unauthorized`, `empty_repository`, `invalid_params` for an unknown name
 */
export async function findRemoteCommit(
  remote: Remote,
  rev: string | undefined,
): Promise<{ commit: string; branch: string | undefined }> {
  const result = await callRemote(remote, ['ls-remote', '--symref', '--', remote.url], 60_000);
  const refs = parseRefs(result.stdout.toString('utf8'));
  if (refs.ids.size === 0) {
    throw new SandpiperError('empty_repository', `${remote.url} has no commit yet.`, { hint: 'Push a first commit.' });
  }
  const name = rev ?? 'HEAD';
  const candidates = name === 'HEAD' ? ['HEAD'] : [`refs/heads/${name}`, `refs/tags/${name}`, name];
  const found = candidates.find(candidate => refs.ids.has(candidate));
  const commit = found === undefined ? undefined : (refs.ids.get(`${found}^{}`) ?? refs.ids.get(found));
  if (commit !== undefined && found !== undefined) {
    const branch = found === 'HEAD' ? refs.head : found;
    return { commit, branch: branch?.startsWith('refs/heads/') ? branch.slice('refs/heads/'.length) : undefined };
  }
  if (isCommitId(name)) {
    return { commit: name, branch: undefined };
  }
  throw new SandpiperError('invalid_params', `${remote.url} has no branch or tag "${name.slice(0, 200)}".`, {
    hint: 'Choose another base.',
  });
}

/**
 * Runs a git command that only reads from a remote.
 * @throws `repository_unreachable` with the reason, `forge_unauthorized` when it is for want of a credential
 */
export async function callRemote(
  remote: Remote,
  args: readonly string[],
  timeoutMs: number,
  gitDir?: string,
): Promise<ProgramResult> {
  const result = await tryGit(args, {
    env: remoteEnvironment(remote),
    timeoutMs,
    ...(gitDir === undefined ? {} : { gitDir }),
  });
  if (result.code !== 0) {
    const { kind, reason, hint } = remoteFailure(result.stderr.toString('utf8'));
    const code = kind === 'unauthorized' ? 'forge_unauthorized' : 'repository_unreachable';
    throw new SandpiperError(code, `${remote.url} could not be read: ${reason}`, { hint });
  }
  return result;
}

function parseRefs(output: string): { ids: Map<string, string>; head: string | undefined } {
  const ids = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split('\n')) {
    const [value = '', name = ''] = line.split('\t');
    if (value.startsWith('ref: ') && name === 'HEAD') {
      head = value.slice('ref: '.length);
    } else if (isCommitId(value)) {
      ids.set(name, value);
    }
  }
  return { ids, head };
}
