import { userObject, type GithubRepository } from './githubObjects.ts';
import { errorReply, type GithubCall, type GithubReply } from './githubReply.ts';
import { now, type GithubCheck, type GithubComment, type GithubReviewComment } from './githubTalk.ts';

/** Who everything that comes by the API is by. */
export const API_USER = 'sandpiper-tester';

type Operation = (call: GithubCall) => Promise<GithubReply>;

/** Issues, comments, reviews, reactions and checks, by their ids in GitHub's description. */
export const talkOperations: Readonly<Record<string, Operation>> = {
  'repos/get-collaborator-permission-level': async ({ origin, repository, values }) => {
    const login = values['username'] ?? '';
    const permission = repository.talk.permissions.get(login);
    if (permission === undefined) {
      return errorReply(404, `${login} is not a user`);
    }
    return ok({ permission, role_name: permission, user: { ...userObject(origin, login), role_name: permission } });
  },
  'issues/list-comments': async call =>
    page(
      call,
      call.repository.talk.comments.filter(comment => comment.number === numberOf(call, 'issue_number')),
      comment => commentObject(call, comment),
    ),
  'issues/create-comment': async call => {
    const made = call.repository.talk.comment(numberOf(call, 'issue_number'), API_USER, call.body.body ?? '');
    return { status: 201, body: commentObject(call, made) };
  },
  'issues/update-comment': async call => {
    const found = call.repository.talk.comments.find(({ id }) => id === numberOf(call, 'comment_id'));
    if (!found) {
      return errorReply(404, 'Not Found');
    }
    Object.assign(found, { body: call.body.body, updatedAt: now() });
    return ok(commentObject(call, found));
  },
  'reactions/create-for-issue': async call => react(call, `issue ${call.values['issue_number']}`),
  'reactions/create-for-issue-comment': async call => react(call, `comment ${call.values['comment_id']}`),
  'reactions/create-for-pull-request-review-comment': async call =>
    react(call, `review comment ${call.values['comment_id']}`),
  'pulls/list-reviews': async call =>
    page(
      call,
      call.repository.talk.reviews.filter(({ pull }) => pull === numberOf(call, 'pull_number')),
      ({ id, pull, by, body, state, at }) => ({
        id,
        node_id: `R_${id}`,
        user: userObject(call.origin, by),
        body,
        state,
        submitted_at: at,
        commit_id: '0'.repeat(40),
        html_url: `${web(call)}/pull/${pull}#pullrequestreview-${id}`,
        pull_request_url: `${api(call)}/pulls/${pull}`,
        author_association: 'MEMBER',
        _links: { html: { href: web(call) }, pull_request: { href: api(call) } },
      }),
    ),
  'pulls/list-review-comments': async call =>
    page(
      call,
      call.repository.talk.reviewComments.filter(({ pull }) => pull === numberOf(call, 'pull_number')),
      comment => reviewCommentObject(call, comment),
    ),
  'pulls/create-reply-for-review-comment': async call => {
    const { talk } = call.repository;
    const first = talk.reviewComments.find(({ id }) => id === numberOf(call, 'comment_id'));
    if (!first || first.inReplyTo !== undefined) {
      return errorReply(404, 'Not Found');
    }
    const at = now();
    const { id: review } = talk.review(first.pull, API_USER, {});
    const made = { ...first, id: talk.nextId(), review, by: API_USER, body: call.body.body ?? '', at, updatedAt: at };
    talk.reviewComments.push({ ...made, inReplyTo: first.id });
    return { status: 201, body: reviewCommentObject(call, { ...made, inReplyTo: first.id }) };
  },
  'checks/list-for-ref': async call => {
    const found = call.repository.talk.checks.filter(({ commit }) => commit === call.values['ref']);
    return ok({ total_count: found.length, check_runs: found.map(check => checkObject(call, check)) });
  },
  'actions/download-job-logs-for-workflow-run': async call => ({
    status: 302,
    body: {},
    headers: { location: `${call.origin}/logs/${call.repository.name}/${call.values['job_id']}` },
  }),
};

function ok(body: unknown): GithubReply {
  return { status: 200, body };
}

function numberOf({ values }: GithubCall, name: string): number {
  return Number(values[name]);
}

function page<T>({ query }: GithubCall, all: readonly T[], show: (one: T) => unknown): GithubReply {
  const size = Number(query.get('per_page') ?? 30);
  const first = (Number(query.get('page') ?? 1) - 1) * size;
  return ok(all.slice(first, first + size).map(show));
}

/** The same reaction twice is one. */
function react({ origin, repository, body }: GithubCall, target: string): GithubReply {
  const { reactions } = repository.talk;
  const content = body.content ?? '';
  const known = reactions.some(one => one.target === target && one.content === content);
  if (!known) {
    reactions.push({ target, content });
  }
  const user = userObject(origin, API_USER);
  return { status: known ? 200 : 201, body: { id: 1, node_id: 'RE_1', user, content, created_at: now() } };
}

function commentObject(call: GithubCall, { id, number, by, body, at, updatedAt }: GithubComment): object {
  return {
    id,
    node_id: `IC_${id}`,
    url: `${api(call)}/issues/comments/${id}`,
    html_url: `${web(call)}/issues/${number}#issuecomment-${id}`,
    issue_url: `${api(call)}/issues/${number}`,
    body,
    user: userObject(call.origin, by),
    created_at: at,
    updated_at: updatedAt,
    author_association: 'MEMBER',
  };
}

function reviewCommentObject(call: GithubCall, comment: GithubReviewComment): object {
  const { id, pull, review, path, line, body, by, at, updatedAt, inReplyTo } = comment;
  const url = `${api(call)}/pulls/comments/${id}`;
  const html = `${web(call)}/pull/${pull}#discussion_r${id}`;
  return {
    id,
    node_id: `PRRC_${id}`,
    url,
    html_url: html,
    pull_request_url: `${api(call)}/pulls/${pull}`,
    pull_request_review_id: review,
    path,
    line,
    diff_hunk: `@@ -1,1 +1,1 @@\n+line ${line}`,
    commit_id: '0'.repeat(40),
    original_commit_id: '0'.repeat(40),
    user: userObject(call.origin, by),
    body,
    created_at: at,
    updated_at: updatedAt,
    author_association: 'MEMBER',
    ...(inReplyTo === undefined ? {} : { in_reply_to_id: inReplyTo }),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: api(call) } },
  };
}

function checkObject(call: GithubCall, { id, commit, name, conclusion }: GithubCheck): object {
  const at = now();
  return {
    id,
    node_id: `CR_${id}`,
    head_sha: commit,
    name,
    url: `${api(call)}/check-runs/${id}`,
    html_url: `${web(call)}/runs/${id}`,
    details_url: `${web(call)}/runs/${id}`,
    external_id: '',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    started_at: at,
    completed_at: conclusion === null ? null : at,
    output: {
      title: `${name}: ${conclusion}`,
      summary: null,
      text: null,
      annotations_count: 0,
      annotations_url: `${api(call)}/check-runs/${id}/annotations`,
    },
    check_suite: { id: 1 },
    app: appObject(call),
    pull_requests: [],
  };
}

function appObject({ origin }: GithubCall): object {
  return {
    id: 15368,
    slug: 'github-actions',
    node_id: 'A_1',
    owner: userObject(origin, 'github'),
    name: 'GitHub Actions',
    description: null,
    external_url: origin,
    html_url: `${origin}/apps/github-actions`,
    created_at: now(),
    updated_at: now(),
    permissions: {},
    events: [],
  };
}

function api({ origin, repository }: { origin: string; repository: GithubRepository }): string {
  return `${origin}/api/v3/repos/${repository.owner}/${repository.name}`;
}

function web({ origin, repository }: { origin: string; repository: GithubRepository }): string {
  return `${origin}/${repository.owner}/${repository.name}`;
}
