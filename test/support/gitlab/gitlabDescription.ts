import { z } from 'zod';

/*
 * The part of GitLab's description that the emulator knows: names, types and what is required, written down for version
 * 19.5. Operations and queries follow doc/api/openapi/openapi_v3.yaml of gitlabhq/gitlabhq at 045bf87; bodies and entities
 * follow the sources that it is generated from, lib/api/merge_requests.rb and lib/api/entities (MIT).
 */

const dateTime = z.iso.datetime();
const userSchema = z
  .strictObject({ id: z.int(), username: z.string(), name: z.string(), state: z.string(), web_url: z.string() })
  .partial();

/** The fields of a project that every reader sees. */
export const projectSchema = z
  .strictObject({
    id: z.int(),
    name: z.string(),
    path: z.string(),
    path_with_namespace: z.string(),
    name_with_namespace: z.string(),
    default_branch: z.string().nullable(),
    ssh_url_to_repo: z.string(),
    http_url_to_repo: z.string(),
    web_url: z.string(),
    visibility: z.enum(['private', 'internal', 'public']),
    archived: z.boolean(),
    empty_repo: z.boolean(),
    merge_requests_enabled: z.boolean(),
    created_at: dateTime,
  })
  .partial();

/** MergeRequestBasic, of which MergeRequest has every field. */
export const mergeRequestSchema = z
  .strictObject({
    id: z.int(),
    iid: z.int(),
    project_id: z.int(),
    title: z.string(),
    description: z.string().nullable(),
    state: z.enum(['opened', 'closed', 'locked', 'merged']),
    created_at: dateTime,
    updated_at: dateTime,
    merged_at: dateTime.nullable(),
    closed_at: dateTime.nullable(),
    source_branch: z.string(),
    target_branch: z.string(),
    source_project_id: z.int().nullable(),
    target_project_id: z.int(),
    author: userSchema,
    assignees: z.array(userSchema),
    reviewers: z.array(userSchema),
    labels: z.array(z.string()),
    draft: z.boolean(),
    work_in_progress: z.boolean(),
    merge_status: z.string(),
    detailed_merge_status: z.string(),
    sha: z.string(),
    merge_commit_sha: z.string().nullable(),
    squash: z.boolean(),
    reference: z.string(),
    web_url: z.string(),
    has_conflicts: z.boolean(),
    user_notes_count: z.int(),
  })
  .partial();

/** Query of getApiV4ProjectsIdMergeRequests, as far as it is known here. */
export const listQuerySchema = z
  .strictObject({
    state: z.enum(['opened', 'closed', 'locked', 'merged', 'all']),
    order_by: z.enum(['created_at', 'title', 'updated_at', 'merged_at']),
    sort: z.enum(['asc', 'desc']),
    view: z.literal('simple'),
    source_branch: z.string(),
    source_project_id: z.coerce.number().int(),
    target_branch: z.string(),
    page: z.coerce.number().int(),
    per_page: z.coerce.number().int(),
  })
  .partial();

/** What can be said of a merge request when it is made and later. */
const shared = {
  assignee_id: z.int().optional(),
  assignee_ids: z.array(z.int()).optional(),
  reviewer_ids: z.array(z.int()).optional(),
  description: z.string().optional(),
  labels: z.string().optional(),
  milestone_id: z.int().optional(),
  remove_source_branch: z.boolean().optional(),
  allow_collaboration: z.boolean().optional(),
  squash: z.boolean().optional(),
};

export const createSchema = z.strictObject({
  title: z.string(),
  source_branch: z.string(),
  target_branch: z.string(),
  target_project_id: z.int().optional(),
  ...shared,
});

/** At least one field is required. */
export const updateSchema = z
  .strictObject({
    title: z.string().min(1).optional(),
    target_branch: z.string().min(1).optional(),
    state_event: z.enum(['close', 'reopen']).optional(),
    discussion_locked: z.boolean().optional(),
    ...shared,
  })
  .refine(body => Object.keys(body).length > 0);
