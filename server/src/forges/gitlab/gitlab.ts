import type { ForgeRepository } from '../forge.ts';
import type { RestAccess } from '../restForge.ts';

export const GITLAB: RestAccess = {
  forge: 'gitlab',
  // SSH on the HTTPS port of gitlab.com.
  remotes: { apiPath: '/api/v4', nested: true, aliases: { 'altssh.gitlab.com': 'gitlab.com' } },
  prefix: 'SANDPIPER_GITLAB',
  needs:
    'To push and to open merge requests the token needs the scopes api and write_repository, and at least the role Developer.',
  authorization: token => `Bearer ${token}`,
};

/** Of a project, below the address of the API. */
export function gitlabPath({ owner, name }: Pick<ForgeRepository, 'owner' | 'name'>): string {
  return `/projects/${encodeURIComponent(`${owner}/${name}`)}`;
}
