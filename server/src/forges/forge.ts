import type { PullRequest } from '../../../protocol/events.ts';

/*
 * Where pull requests live. Failures are SandpiperErrors: `forge_unauthorized`, `forge_refused` (with the forge's own
 * reason), `forge_unreachable`.
 */

/** A repository on a forge. */
export interface ForgeRepository {
  forge: string;
  /** Host and port as in the remote URL. */
  host: string;
  /** A path where the forge has groups in groups. */
  owner: string;
  name: string;
}

/** What a token is for: to read the code, to push and open a pull request, to talk on issues and pull requests, to look at them. */
export type TokenPurpose = 'read' | 'land' | 'talk' | 'watch';

export interface PullRequestRequest {
  repository: ForgeRepository;
  token: string;
  branch: string;
  baseBranch: string;
  headCommit: string;
  title: string;
  body: string;
  draft: boolean;
  /** Number of a pull request that this session opened before, if any. */
  known?: number;
}

/** How `git push` authenticates: a header handed over by environment, never in a URL or an argument. */
export interface PushCredential {
  /** The remote without credentials. */
  url: string;
  header: string;
}

export interface Forge {
  readonly id: string;
  /** The repository behind a remote URL (https, http on loopback, ssh, scp form), or undefined when it is not on this forge. */
  match(remoteUrl: string): ForgeRepository | undefined;
  /** What a person does who has no token for a repository, or one that is refused. */
  tokenHint(repository: ForgeRepository): string;
  pushCredential(repository: ForgeRepository, token: string): PushCredential;
  defaultBranch(repository: ForgeRepository, token: string): Promise<string>;
  /**
   * Finds the open pull request of the branch, else creates it: as a draft where asked and supported; one that exists
   * already is adopted and its title and body brought up to date. Safe to repeat.
   */
  openPullRequest(request: PullRequestRequest): Promise<{ pullRequest: PullRequest; created: boolean }>;
}
