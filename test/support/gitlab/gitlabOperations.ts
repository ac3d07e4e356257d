import { z } from 'zod';
import { operation, type EmulatedCall, type EmulatedPull, type EmulatedReply } from '../forge/dialect.ts';
import { commitOf } from '../forge/emulatedCommits.ts';
import { createSchema, listQuerySchema, mergeRequestSchema, projectSchema, updateSchema } from './gitlabDescription.ts';

type Call = Pick<EmulatedCall<unknown, unknown>, 'origin' | 'repository' | 'values'>;

/** Id or whole path, encoded as one part. */
const PROJECT = '^/projects/(?<repository>[^/]+)';
const MAX_TITLE = 255;
const MAX_DESCRIPTION = 1_048_576;

export const DRAFT = /^(draft:|\[draft\]|\(draft\))/i;

/** Lines of a description that GitLab carries out and takes away; a part of what there is. */
const QUICK_ACTION = /^\/(close|merge|approve|draft|assign|label|target_branch)\b.*$/gim;

const nothing = z.strictObject({});
const noBody = z.undefined();

/** The operations that the emulator knows, by their id in GitLab's description. */
export const gitlabOperations = [
  operation({
    id: 'getApiV4ProjectsId',
    method: 'GET',
    path: new RegExp(`${PROJECT}$`),
    query: nothing,
    body: noBody,
    reply: projectSchema,
    act: call => ({ status: 200, body: projectObject(call) }),
  }),
  operation({
    id: 'getApiV4ProjectsIdMergeRequests',
    method: 'GET',
    path: new RegExp(`${PROJECT}/merge_requests$`),
    query: listQuerySchema,
    body: noBody,
    reply: z.array(mergeRequestSchema),
    act: listMerges,
  }),
  operation({
    id: 'getApiV4ProjectsIdMergeRequestsMergeRequestIid',
    method: 'GET',
    path: new RegExp(`${PROJECT}/merge_requests/(?<iid>\\d+)$`),
    query: nothing,
    body: noBody,
    reply: mergeRequestSchema,
    act: async call => reply(call, findMerge(call), 200),
  }),
  operation({
    id: 'postApiV4ProjectsIdMergeRequests',
    method: 'POST',
    path: new RegExp(`${PROJECT}/merge_requests$`),
    query: nothing,
    body: createSchema,
    reply: mergeRequestSchema,
    act: createMerge,
  }),
  operation({
    id: 'putApiV4ProjectsIdMergeRequestsMergeRequestIid',
    method: 'PUT',
    path: new RegExp(`${PROJECT}/merge_requests/(?<iid>\\d+)$`),
    query: nothing,
    body: updateSchema,
    reply: mergeRequestSchema,
    act: updateMerge,
  }),
];

/** GitLab's form of an error: a text, texts, or texts by field. */
export function gitlabError(status: number, message: string | string[] | Record<string, string[]>): EmulatedReply {
  return { status, body: { message } };
}

async function listMerges({
  query,
  ...call
}: Call & { query: z.output<typeof listQuerySchema> }): Promise<EmulatedReply> {
  const { state = 'all', source_branch: source, target_branch: target, page = 1, per_page: size = 20 } = query;
  const matching = call.repository.pulls.filter(
    pull =>
      (state === 'all' || stateOf(pull) === state) &&
      (source === undefined || pull.branch === source) &&
      (target === undefined || pull.baseBranch === target),
  );
  const shown = matching.toReversed().slice((page - 1) * size, page * size);
  return { status: 200, body: await Promise.all(shown.map(pull => mergeObject(call, pull))) };
}

async function createMerge({
  body,
  takeNoDrafts,
  ...call
}: Call & { body: z.output<typeof createSchema>; takeNoDrafts: () => boolean }): Promise<EmulatedReply> {
  const { repository } = call;
  const { title, description = '', source_branch: branch, target_branch: baseBranch } = body;
  for (const [field, name] of Object.entries({ source_branch: branch, target_branch: baseBranch })) {
    if ((await commitOf(repository, name)) === undefined) {
      return gitlabError(400, { [field]: ['does not exist'] });
    }
  }
  const wrong = wrongTexts(title, description);
  if (wrong) {
    return wrong;
  }
  if (branch === baseBranch) {
    return gitlabError(422, ["You can't use same project/branch for source and target"]);
  }
  // With nothing to wait for before the effect: of two at once one is refused.
  const same = repository.pulls.find(
    pull => pull.state === 'open' && !pull.fork && pull.branch === branch && pull.baseBranch === baseBranch,
  );
  if (same) {
    return gitlabError(409, [`Another open merge request already exists for this source branch: !${same.number}`]);
  }
  repository.draftsKnown &&= !takeNoDrafts();
  const now = new Date().toISOString();
  const pull: EmulatedPull = {
    number: repository.pulls.length + 1,
    title,
    body: '',
    state: 'open',
    merged: false,
    branch,
    baseBranch,
    fork: false,
    createdAt: now,
    updatedAt: now,
  };
  describe(pull, description);
  repository.pulls.push(pull);
  return reply(call, pull, 201);
}

async function updateMerge({ body, ...call }: Call & { body: z.output<typeof updateSchema> }): Promise<EmulatedReply> {
  const pull = findMerge(call);
  const { title = pull?.title ?? '', description, state_event: event } = body;
  const wrong = wrongTexts(title, description ?? '');
  if (!pull || wrong) {
    return wrong ?? gitlabError(404, '404 Not found');
  }
  const state = event === 'close' ? 'closed' : event === 'reopen' ? 'open' : pull.state;
  Object.assign(pull, { title, state, updatedAt: new Date().toISOString() });
  describe(pull, description ?? pull.body);
  return reply(call, pull, 200);
}

function wrongTexts(title: string, description: string): EmulatedReply | undefined {
  return title.length > MAX_TITLE
    ? gitlabError(400, { title: [`is too long (maximum is ${MAX_TITLE} characters)`] })
    : description.length > MAX_DESCRIPTION
      ? gitlabError(400, { description: [`is too long (maximum is ${MAX_DESCRIPTION} characters)`] })
      : undefined;
}

/** Takes a description, and does what it orders. */
function describe(pull: EmulatedPull, description: string): void {
  const orders = description.match(QUICK_ACTION) ?? [];
  pull.body = description.replace(QUICK_ACTION, '');
  if (orders.some(order => /^\/(close|merge)/i.test(order))) {
    pull.state = 'closed';
  }
}

function findMerge({ repository, values }: Call): EmulatedPull | undefined {
  return repository.pulls.find(pull => pull.number === Number(values['iid']));
}

async function reply(call: Call, pull: EmulatedPull | undefined, status: number): Promise<EmulatedReply> {
  return pull ? { status, body: await mergeObject(call, pull) } : gitlabError(404, '404 Not found');
}

function stateOf({ state, merged }: EmulatedPull): 'opened' | 'closed' | 'merged' {
  return merged ? 'merged' : state === 'open' ? 'opened' : 'closed';
}

function projectObject({ origin, repository }: Call): z.input<typeof projectSchema> {
  const { id, owner, name, defaultBranch } = repository;
  return {
    id,
    name,
    path: name,
    path_with_namespace: `${owner}/${name}`,
    name_with_namespace: `${owner} / ${name}`,
    default_branch: defaultBranch,
    ssh_url_to_repo: `git@gitlab.example:${owner}/${name}.git`,
    http_url_to_repo: `${origin}/${owner}/${name}.git`,
    web_url: `${origin}/${owner}/${name}`,
    visibility: 'private',
    archived: false,
    empty_repo: false,
    merge_requests_enabled: true,
    created_at: '2026-01-01T00:00:00Z',
  };
}

async function mergeObject(
  { origin, repository }: Call,
  pull: EmulatedPull,
): Promise<z.input<typeof mergeRequestSchema>> {
  const draft = repository.draftsKnown && DRAFT.test(pull.title);
  return {
    id: repository.id * 1000 + pull.number,
    iid: pull.number,
    project_id: repository.id,
    title: pull.title,
    description: pull.body,
    state: stateOf(pull),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    merged_at: pull.merged ? pull.updatedAt : null,
    closed_at: pull.state === 'closed' && !pull.merged ? pull.updatedAt : null,
    source_branch: pull.branch,
    target_branch: pull.baseBranch,
    source_project_id: pull.fork ? repository.id + 1 : repository.id,
    target_project_id: repository.id,
    author: { id: 2, username: 'sandpiper', name: 'Sandpiper', state: 'active', web_url: `${origin}/sandpiper` },
    assignees: [],
    reviewers: [],
    labels: [],
    draft,
    work_in_progress: draft,
    merge_status: 'checking',
    detailed_merge_status: 'checking',
    sha: (await commitOf(repository, pull.branch)) ?? '',
    merge_commit_sha: null,
    squash: false,
    reference: `!${pull.number}`,
    web_url: `${origin}/${repository.owner}/${repository.name}/-/merge_requests/${pull.number}`,
    has_conflicts: false,
    user_notes_count: 0,
  };
}
