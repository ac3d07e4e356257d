import { startEmulatedForge, type EmulatedForge } from '../forge/emulatedForge.ts';
import { DRAFT, giteaError, giteaOperations } from './giteaOperations.ts';
import { giteaTalkOperations } from './giteaTalkOperations.ts';

/** A Gitea of one's own, under /api/v1 as its description has it. */
export function startGiteaServer(): Promise<EmulatedForge> {
  return startEmulatedForge({
    apiPath: '/api/v1',
    operations: [...giteaOperations, ...giteaTalkOperations],
    creation: 'repoCreatePullRequest',
    tokenOf: ({ headers }) => /^(?:token|Bearer) (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '',
    refusals: {
      unauthorized: giteaError(401, 'invalid username, password or token'),
      forbidden: giteaError(
        403,
        'token does not have at least one of required scope(s), required=[write:repository], token scope=read:repository',
      ),
      notFound: giteaError(404, "The target couldn't be found."),
      invalid: giteaError(422, 'Invalid request'),
      // Gitea has none of its own; this is what stands before it.
      rateLimit: { ...giteaError(429, 'Too Many Requests'), headers: { 'retry-after': '3' } },
    },
    isDraft: title => DRAFT.test(title),
  });
}
