import { z } from 'zod';
import { operation, type EmulatedCall, type EmulatedPull, type EmulatedReply } from '../forge/dialect.ts';
import { commitOf } from '../forge/emulatedCommits.ts';
import {
  createSchema,
  editSchema,
  listQuerySchema,
  noBody,
  nothing,
  pullRequestSchema,
  repositorySchema,
} from './giteaDescription.ts';

type Call = Pick<EmulatedCall<unknown, unknown>, 'origin' | 'repository' | 'values'>;

/** Gitea gives no more at once, whatever is asked for. */
const PAGE = 50;
const REPOSITORY = '(?<repository>[^/]+/[^/]+)';

/** Gitea's usual prefixes of a draft. */
export const DRAFT = /^(wip:|\[wip\])/i;

/** The operations that the emulator knows, by their id in Gitea's description. */
export const giteaOperations = [
  operation({
    id: 'repoGet',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}$`),
    query: nothing,
    body: noBody,
    reply: repositorySchema,
    act: call => ({ status: 200, body: repositoryObject(call) }),
  }),
  operation({
    id: 'repoListPullRequests',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls$`),
    query: listQuerySchema,
    body: noBody,
    reply: z.array(pullRequestSchema),
    act: listPulls,
  }),
  operation({
    id: 'repoGetPullRequest',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls/(?<index>\\d+)$`),
    query: nothing,
    body: noBody,
    reply: pullRequestSchema,
    act: async call => reply(call, findPull(call), 200),
  }),
  operation({
    id: 'repoCreatePullRequest',
    method: 'POST',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls$`),
    query: nothing,
    body: createSchema,
    reply: pullRequestSchema,
    act: createPull,
  }),
  operation({
    id: 'repoEditPullRequest',
    method: 'PATCH',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls/(?<index>\\d+)$`),
    query: nothing,
    body: editSchema,
    reply: pullRequestSchema,
    act: editPull,
  }),
];

/** Gitea's form of an error. */
export function giteaError(status: number, message: string): EmulatedReply {
  return { status, body: { message, url: 'https://gitea.example/api/swagger' } };
}

async function listPulls({
  query,
  ...call
}: Call & { query: z.output<typeof listQuerySchema> }): Promise<EmulatedReply> {
  const { state = 'open', page = 1, limit = PAGE, base_branch: base } = query;
  const matching = call.repository.pulls
    .filter(pull => (state === 'all' || pull.state === state) && (base === undefined || pull.baseBranch === base))
    .sort((one, other) => other.updatedAt.localeCompare(one.updatedAt) || other.number - one.number);
  const size = Math.min(limit, PAGE);
  const shown = matching.slice((page - 1) * size, page * size);
  return { status: 200, body: await Promise.all(shown.map(pull => pullObject(call, pull))) };
}

async function createPull({
  body,
  takeNoDrafts,
  ...call
}: Call & { body: z.output<typeof createSchema>; takeNoDrafts: () => boolean }): Promise<EmulatedReply> {
  const { repository } = call;
  const { title = '', head = '', base = '', body: text = '' } = body;
  const missing = Object.entries({ Head: head, Base: base, Title: title }).find(([, value]) => value === '');
  if (missing) {
    return giteaError(422, `[${missing[0]}]: Required`);
  }
  if (head === base) {
    return giteaError(422, 'Invalid PullRequest: There are no changes between the head and the base');
  }
  for (const branch of [base, head]) {
    if ((await commitOf(repository, branch)) === undefined) {
      return giteaError(404, "The target couldn't be found.");
    }
  }
  // With nothing to wait for before the effect: of two at once one is refused.
  const same = repository.pulls.find(
    pull => pull.state === 'open' && !pull.fork && pull.branch === head && pull.baseBranch === base,
  );
  if (same) {
    return giteaError(
      409,
      `pull request already exists for these targets [id: ${same.number}, issue_id: ${same.number}, head_repo_id: ${repository.id}, base_repo_id: ${repository.id}, head_branch: ${head}, base_branch: ${base}]`,
    );
  }
  repository.draftsKnown &&= !takeNoDrafts();
  const now = new Date().toISOString();
  const pull: EmulatedPull = {
    number: repository.pulls.length + repository.talk.issues.length + 1,
    title: cutTitle(title),
    body: text,
    state: 'open',
    merged: false,
    branch: head,
    baseBranch: base,
    fork: false,
    createdAt: now,
    updatedAt: now,
  };
  repository.pulls.push(pull);
  return reply(call, pull, 201);
}

async function editPull({ body, ...call }: Call & { body: z.output<typeof editSchema> }): Promise<EmulatedReply> {
  const pull = findPull(call);
  if (pull) {
    const { title, body: text, state } = body;
    // An empty title changes nothing; an empty body does.
    Object.assign(pull, {
      title: title === undefined || title === '' ? pull.title : cutTitle(title),
      body: text ?? pull.body,
      state: state === 'closed' || state === 'open' ? state : pull.state,
      updatedAt: new Date().toISOString(),
    });
  }
  return reply(call, pull, 201);
}

function findPull({ repository, values }: Call): EmulatedPull | undefined {
  return repository.pulls.find(pull => pull.number === Number(values['index']));
}

async function reply(call: Call, pull: EmulatedPull | undefined, status: number): Promise<EmulatedReply> {
  return pull ? { status, body: await pullObject(call, pull) } : giteaError(404, "The target couldn't be found.");
}

/** Gitea keeps so many bytes of a title. */
function cutTitle(title: string): string {
  return Buffer.from(title).subarray(0, 255).toString().replace(/�+$/, '');
}

export function repositoryObject({ origin, repository }: Omit<Call, 'values'>): z.input<typeof repositorySchema> {
  const { id, owner, name, defaultBranch } = repository;
  return {
    id,
    name,
    full_name: `${owner}/${name}`,
    html_url: `${origin}/${owner}/${name}`,
    clone_url: `${origin}/${owner}/${name}.git`,
    ssh_url: `git@gitea.example:${owner}/${name}.git`,
    private: true,
    empty: false,
    archived: false,
    default_branch: defaultBranch,
    has_pull_requests: true,
    owner: { id: 1, login: owner, full_name: owner, email: `${owner}@example.com` },
  };
}

export async function pullObject(
  call: Omit<Call, 'values'>,
  pull: EmulatedPull,
): Promise<z.input<typeof pullRequestSchema>> {
  const { origin, repository } = call;
  const page = `${origin}/${repository.owner}/${repository.name}/pulls/${pull.number}`;
  const side = async (branch: string, repositoryId = repository.id) => ({
    label: branch,
    ref: branch,
    sha: (await commitOf(repository, branch)) ?? '',
    repo_id: repositoryId,
    repo: repositoryObject(call),
  });
  const [head, base] = await Promise.all([
    side(pull.branch, pull.fork ? repository.id + 1 : repository.id),
    side(pull.baseBranch),
  ]);
  return {
    id: repository.id * 1000 + pull.number,
    url: `${origin}/api/v1/repos/${repository.owner}/${repository.name}/pulls/${pull.number}`,
    number: pull.number,
    user: { id: 2, login: 'sandpiper', full_name: '', email: 'sandpiper@example.com' },
    title: pull.title,
    body: pull.body,
    labels: [],
    state: pull.state,
    draft: repository.draftsKnown && DRAFT.test(pull.title),
    is_locked: false,
    comments: 0,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    mergeable: pull.state === 'open',
    merged: pull.merged,
    merged_at: pull.merged ? pull.updatedAt : null,
    merge_commit_sha: null,
    allow_maintainer_edit: false,
    base,
    head,
    merge_base: base.sha,
    due_date: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.state === 'closed' ? pull.updatedAt : null,
    pin_order: 0,
  };
}
