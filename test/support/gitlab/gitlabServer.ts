import { startEmulatedForge, type EmulatedForge } from '../forge/emulatedForge.ts';
import { DRAFT, gitlabError, gitlabOperations } from './gitlabOperations.ts';
import { gitlabTalkOperations } from './gitlabTalkOperations.ts';

/** A GitLab of one's own, under /api/v4 as its description has it. */
export function startGitlabServer(): Promise<EmulatedForge> {
  return startEmulatedForge({
    apiPath: '/api/v4',
    operations: [...gitlabOperations, ...gitlabTalkOperations],
    creation: 'postApiV4ProjectsIdMergeRequests',
    tokenOf: ({ headers }) =>
      String(headers['private-token'] ?? /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''),
    refusals: {
      unauthorized: gitlabError(401, '401 Unauthorized'),
      forbidden: {
        status: 403,
        body: {
          error: 'insufficient_scope',
          error_description: 'The request requires higher privileges than provided by the access token.',
          scope: 'api',
        },
      },
      notFound: gitlabError(404, '404 Project Not Found'),
      invalid: { status: 400, body: { error: 'the request is invalid' } },
      rateLimit: { status: 429, body: 'Retry later\n', headers: { 'retry-after': '3' } },
    },
    isDraft: title => DRAFT.test(title),
  });
}
