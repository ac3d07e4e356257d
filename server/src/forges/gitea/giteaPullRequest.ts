import { z } from 'zod';
import type { FoundPullRequest } from '../openOnce.ts';

const sideSchema = z.object({ ref: z.string(), repo_id: z.int() });

const pullSchema = z.object({
  number: z.int().positive(),
  html_url: z.string().regex(/^https?:\/\//),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  // Absent before Gitea 1.20.
  draft: z.boolean().optional(),
  head: sideSchema,
  base: sideSchema,
});

/** Reads pull requests out of an answer, which may come from anything that sits at the configured address. */
export const giteaPullSchema = pullSchema.transform(
  ({ number, html_url: url, title, body, state, merged, draft, head, base }): FoundPullRequest => ({
    number,
    url,
    title,
    body: body ?? '',
    state: merged === true ? 'merged' : state,
    draft: draft ?? /^(wip:|\[wip\])/i.test(title),
    branch: head.ref,
    baseBranch: base.ref,
    sameRepository: head.repo_id === base.repo_id,
  }),
);
