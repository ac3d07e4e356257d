import type { SessionState } from '../../../protocol/session.ts';
import type { Forge, ForgeRepository, PushCredential } from '../forges/forge.ts';
import { pushRemote, readRemoteBranches } from '../git/land.ts';
import { fetchBranch } from '../git/theirs.ts';
import type { Mirror } from '../git/mirror.ts';
import { intoRef } from '../git/refs.ts';
import { hasCommit } from '../git/sessionRefs.ts';

/** A forge as it is before anything is pushed to it. */
export interface LandingPlace {
  credential: PushCredential;
  /** Where the work is to be merged. */
  baseBranch: string;
  /** The commits of the branches that were asked for and exist, by name. */
  heads: Map<string, string>;
}

/**
 * @param options.branches further ones whose commits are wanted
 * @param options.baseBranch where to; default: the branch that the session started from when the forge has it, else its default
 */
export async function landingPlace(
  { forge, repository, token }: { forge: Forge; repository: ForgeRepository; token: string },
  { repository: { branch } }: Pick<SessionState, 'repository'>,
  options: { branches?: readonly string[]; baseBranch: string | undefined },
): Promise<LandingPlace> {
  const credential = forge.pushCredential(repository, token);
  const names = [...(options.branches ?? []), options.baseBranch, branch].filter(name => name !== undefined);
  const heads = await readRemoteBranches(credential, names);
  const started = branch !== undefined && heads.has(branch) ? branch : undefined;
  const baseBranch = options.baseBranch ?? started ?? (await forge.defaultBranch(repository, token));
  return { credential, baseBranch, heads };
}

/**
 * The commit that the base branch of a forge is at now, brought into the mirror when it is not there.
 * @throws `repository_unreachable` (also when there is no such branch), `forge_unauthorized`
 */
export async function tipOfBase(
  mirror: Mirror,
  sessionId: string,
  { credential, baseBranch, heads }: LandingPlace,
): Promise<string> {
  const known = heads.get(baseBranch);
  return known !== undefined && (await hasCommit(mirror, known))
    ? known
    : fetchBranch(mirror, pushRemote(credential), baseBranch, intoRef(sessionId));
}
