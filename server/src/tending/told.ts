import { z } from 'zod';

/** Where something happened on a forge. */
export interface Told {
  /** The page of the repository. */
  repositoryUrl: string;
  /** Of the pull request; absent: of all that have the commit. */
  number?: number;
  commit?: string;
}

const numbered = z.object({ number: z.int().positive() });
const headed = z.object({ head_sha: z.string() });
const payloadSchema = z.object({
  repository: z.object({ html_url: z.string().max(1000) }),
  pull_request: numbered.optional(),
  issue: numbered.extend({ pull_request: z.looseObject({}).optional() }).optional(),
  check_suite: headed.optional(),
  check_run: headed.optional(),
  workflow_run: headed.optional(),
  /** Of a status. */
  sha: z.string().optional(),
  /** Of a push. */
  ref: z.string().optional(),
});

/** Pure. What a webhook is about, as far as a pull request may stand another way after it. */
export function toldOf(payload: unknown): Told | undefined {
  const { data } = payloadSchema.safeParse(payload);
  if (!data) {
    return undefined;
  }
  const { repository, pull_request: pull, issue, check_suite: suite, check_run: check, workflow_run: run, sha } = data;
  const repositoryUrl = repository.html_url;
  const number = pull?.number ?? (issue?.pull_request ? issue.number : undefined);
  if (number !== undefined) {
    return { repositoryUrl, number };
  }
  const commit = suite?.head_sha ?? check?.head_sha ?? run?.head_sha ?? sha;
  // After a push any pull request of the repository may be behind or in conflict.
  return commit === undefined
    ? data.ref?.startsWith('refs/heads/')
      ? { repositoryUrl }
      : undefined
    : { repositoryUrl, commit };
}
