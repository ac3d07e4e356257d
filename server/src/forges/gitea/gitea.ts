import type { ForgeRepository } from '../forge.ts';
import type { RestAccess } from '../restForge.ts';

/** Gitea and Forgejo. */
export const GITEA: RestAccess = {
  forge: 'gitea',
  remotes: { apiPath: '/api/v1', nested: false },
  prefix: 'SANDPIPER_GITEA',
  needs:
    'To push and to open pull requests the token needs the scope write:repository, and its user must be allowed to write there.',
  authorization: token => `token ${token}`,
};

/** Of a repository, below the address of the API. */
export function giteaPath({ owner, name }: Pick<ForgeRepository, 'owner' | 'name'>): string {
  return `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
}
