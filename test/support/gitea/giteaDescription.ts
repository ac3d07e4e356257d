import { z } from 'zod';

/*
 * The part of Gitea's description that the emulator knows: names, types and what is required, written down from
 * templates/swagger/v1-swagger.generated.json of go-gitea/gitea at 009dbc0 (2026; MIT). The description requires no field
 * and knows no null; null is sent for what it has no value for, as Gitea does.
 */

const dateTime = z.iso.datetime().nullable();

const userSchema = z
  .strictObject({ id: z.int(), login: z.string(), full_name: z.string(), email: z.string() })
  .partial();

export const repositorySchema = z
  .strictObject({
    id: z.int(),
    name: z.string(),
    full_name: z.string(),
    html_url: z.string(),
    clone_url: z.string(),
    ssh_url: z.string(),
    private: z.boolean(),
    empty: z.boolean(),
    archived: z.boolean(),
    default_branch: z.string(),
    has_pull_requests: z.boolean(),
    owner: userSchema,
  })
  .partial();

const branchInfoSchema = z
  .strictObject({
    label: z.string(),
    ref: z.string(),
    sha: z.string(),
    repo_id: z.int(),
    repo: repositorySchema.nullable(),
  })
  .partial();

export const pullRequestSchema = z
  .strictObject({
    id: z.int(),
    url: z.string(),
    number: z.int(),
    user: userSchema,
    title: z.string(),
    body: z.string(),
    labels: z.array(z.never()),
    state: z.enum(['open', 'closed']),
    draft: z.boolean(),
    is_locked: z.boolean(),
    comments: z.int(),
    html_url: z.string(),
    diff_url: z.string(),
    patch_url: z.string(),
    mergeable: z.boolean(),
    merged: z.boolean(),
    merged_at: dateTime,
    merge_commit_sha: z.string().nullable(),
    allow_maintainer_edit: z.boolean(),
    base: branchInfoSchema,
    head: branchInfoSchema,
    merge_base: z.string(),
    due_date: dateTime,
    created_at: dateTime,
    updated_at: dateTime,
    closed_at: dateTime,
    pin_order: z.int(),
  })
  .partial();

/** Query of repoListPullRequests. */
export const listQuerySchema = z
  .strictObject({
    base_branch: z.string(),
    state: z.enum(['open', 'closed', 'all']),
    sort: z.enum(['oldest', 'recentupdate', 'recentclose', 'leastupdate', 'mostcomment', 'leastcomment', 'priority']),
    milestone: z.coerce.number().int(),
    poster: z.string(),
    page: z.coerce.number().int().min(1),
    limit: z.coerce.number().int().min(0),
  })
  .partial();

/** CreatePullRequestOption */
export const createSchema = z
  .strictObject({
    allow_maintainer_edit: z.boolean(),
    assignee: z.string(),
    assignees: z.array(z.string()),
    base: z.string(),
    body: z.string(),
    due_date: z.iso.datetime(),
    head: z.string(),
    labels: z.array(z.int()),
    milestone: z.int(),
    reviewers: z.array(z.string()),
    team_reviewers: z.array(z.string()),
    title: z.string(),
  })
  .partial();

/** EditPullRequestOption */
export const editSchema = z
  .strictObject({
    allow_maintainer_edit: z.boolean(),
    assignee: z.string(),
    assignees: z.array(z.string()),
    base: z.string(),
    body: z.string(),
    content_version: z.int(),
    due_date: z.iso.datetime(),
    labels: z.array(z.int()),
    milestone: z.int(),
    state: z.string(),
    title: z.string(),
    unset_due_date: z.boolean(),
  })
  .partial();

export const nothing = z.strictObject({});
export const noBody = z.undefined();
