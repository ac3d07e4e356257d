import { z } from 'zod';
import type { FoundPullRequest } from '../openOnce.ts';

/** Reads merge requests out of an answer, which may come from anything that sits at the configured address. */
export const gitlabMergeSchema = z
  .object({
    iid: z.int().positive(),
    web_url: z.string().regex(/^https?:\/\//),
    title: z.string(),
    description: z.string().nullish(),
    state: z.enum(['opened', 'closed', 'locked', 'merged']),
    // Absent before GitLab 13.2.
    draft: z.boolean().optional(),
    source_branch: z.string(),
    target_branch: z.string(),
    // Null when the fork has been deleted.
    source_project_id: z.int().nullable(),
    target_project_id: z.int(),
  })
  .transform((merge): FoundPullRequest => ({
    number: merge.iid,
    url: merge.web_url,
    title: merge.title,
    body: merge.description ?? '',
    state: STATES[merge.state],
    draft: merge.draft ?? false,
    branch: merge.source_branch,
    baseBranch: merge.target_branch,
    sameRepository: merge.source_project_id === merge.target_project_id,
  }));

/** A locked one is being merged. */
const STATES = { opened: 'open', locked: 'open', closed: 'closed', merged: 'merged' } as const;

/**
 * GitLab carries out lines of a description that begin like `/merge`, with the rights of the token, whoever wrote them.
 * A backslash makes text of them and is not shown.
 */
export function withoutQuickActions(body: string): string {
  return body.replace(/^(\s*)\/(?=[a-z])/gim, String.raw`$1\/`);
}
