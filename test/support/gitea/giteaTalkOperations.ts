import { z } from 'zod';
import { operation, type EmulatedCall, type EmulatedReply } from '../forge/dialect.ts';
import { API_USER, isOn, now, type EmulatedComment, type EmulatedReview } from '../forge/emulatedTalk.ts';
import { noBody, nothing } from './giteaDescription.ts';

/*
 * Comments, reviews and reactions of an emulated Gitea, by the ids of its description (templates/swagger/v1_json.tmpl of
 * go-gitea/gitea; MIT).
 */

type Call = Pick<EmulatedCall<unknown, unknown>, 'origin' | 'repository' | 'values'>;

const REPOSITORY = '(?<repository>[^/]+/[^/]+)';
const dateTime = z.iso.datetime();
const userSchema = z.strictObject({ id: z.int(), login: z.string() });

const commentSchema = z.strictObject({
  id: z.int(),
  html_url: z.string(),
  issue_url: z.string(),
  pull_request_url: z.string(),
  user: userSchema,
  body: z.string(),
  assets: z.array(z.never()),
  created_at: dateTime,
  updated_at: dateTime,
});
const reviewSchema = z.strictObject({
  id: z.int(),
  user: userSchema,
  state: z.enum(['APPROVED', 'PENDING', 'COMMENT', 'REQUEST_CHANGES', 'REQUEST_REVIEW']),
  body: z.string(),
  commit_id: z.string(),
  stale: z.boolean(),
  comments_count: z.int(),
  submitted_at: dateTime,
  html_url: z.string(),
  pull_request_url: z.string(),
});
const reviewCommentSchema = z.strictObject({
  id: z.int(),
  body: z.string(),
  user: userSchema,
  pull_request_review_id: z.int(),
  created_at: dateTime,
  updated_at: dateTime,
  path: z.string(),
  commit_id: z.string(),
  diff_hunk: z.string(),
  position: z.int(),
  original_position: z.int(),
  html_url: z.string(),
  pull_request_url: z.string(),
});
const pageQuery = z.strictObject({ page: z.coerce.number().int(), limit: z.coerce.number().int() }).partial();
const reactionBody = z.strictObject({ content: z.enum(['eyes', 'rocket', 'confused', '+1', '-1', 'heart']) });
const reactionReply = z.strictObject({ user: userSchema, content: z.string(), created_at: dateTime });
const textBody = z.strictObject({ body: z.string() });

export const giteaTalkOperations = [
  operation({
    id: 'repoGetRepoPermissions',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/collaborators/(?<user>[^/]+)/permission$`),
    query: nothing,
    body: noBody,
    reply: z.strictObject({
      permission: z.enum(['owner', 'admin', 'write', 'read', 'none']),
      role_name: z.string(),
      user: userSchema,
    }),
    act: ({ repository, values: { user = '' } }) => {
      const permission = repository.talk.permissions.get(user);
      return permission === undefined
        ? notFound()
        : { status: 200, body: { permission, role_name: permission, user: userObject(user) } };
    },
  }),
  operation({
    id: 'issueGetComments',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/issues/(?<index>\\d+)/comments$`),
    query: nothing,
    body: noBody,
    reply: z.array(commentSchema),
    act: call => {
      const found = call.repository.talk.comments.filter(
        one => one.on.number === Number(call.values['index']) && !one.line,
      );
      return { status: 200, body: found.map(one => commentObject(call, one)) };
    },
  }),
  operation({
    id: 'issueCreateComment',
    method: 'POST',
    path: new RegExp(`^/repos/${REPOSITORY}/issues/(?<index>\\d+)/comments$`),
    query: nothing,
    body: textBody,
    reply: commentSchema,
    act: call => {
      const { talk, pulls } = call.repository;
      const number = Number(call.values['index']);
      const isPull = pulls.some(pull => pull.number === number);
      if (!isPull && !talk.issues.some(issue => issue.number === number)) {
        return notFound();
      }
      const made = talk.comment({ number, isPull }, API_USER, call.body.body);
      return { status: 201, body: commentObject(call, made) };
    },
  }),
  operation({
    id: 'issueEditComment',
    method: 'PATCH',
    path: new RegExp(`^/repos/${REPOSITORY}/issues/comments/(?<id>\\d+)$`),
    query: nothing,
    body: textBody,
    reply: commentSchema,
    act: call => {
      const found = findComment(call);
      Object.assign(found ?? {}, { body: call.body.body, updatedAt: now() });
      return found ? { status: 200, body: commentObject(call, found) } : notFound();
    },
  }),
  operation({
    id: 'issuePostIssueReaction',
    method: 'POST',
    path: new RegExp(`^/repos/${REPOSITORY}/issues/(?<index>\\d+)/reactions$`),
    query: nothing,
    body: reactionBody,
    reply: reactionReply,
    act: call => reacted(call, `#${call.values['index']}`, call.body.content),
  }),
  operation({
    id: 'issuePostCommentReaction',
    method: 'POST',
    path: new RegExp(`^/repos/${REPOSITORY}/issues/comments/(?<id>\\d+)/reactions$`),
    query: nothing,
    body: reactionBody,
    reply: reactionReply,
    act: call => (findComment(call) ? reacted(call, `comment ${call.values['id']}`, call.body.content) : notFound()),
  }),
  operation({
    id: 'repoListPullReviews',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls/(?<index>\\d+)/reviews$`),
    query: pageQuery,
    body: noBody,
    reply: z.array(reviewSchema),
    act: call => {
      const { page = 1, limit = 50 } = call.query;
      const found = call.repository.talk.reviews.filter(({ pull }) => pull === Number(call.values['index']));
      return { status: 200, body: found.slice((page - 1) * limit, page * limit).map(one => reviewObject(call, one)) };
    },
  }),
  operation({
    id: 'repoGetPullReviewComments',
    method: 'GET',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls/(?<index>\\d+)/reviews/(?<id>\\d+)/comments$`),
    query: nothing,
    body: noBody,
    reply: z.array(reviewCommentSchema),
    act: call => {
      const found = call.repository.talk.comments.filter(({ line }) => line?.review === Number(call.values['id']));
      return { status: 200, body: found.map(one => lineObject(call, one)) };
    },
  }),
  operation({
    id: 'repoCreatePullReview',
    method: 'POST',
    path: new RegExp(`^/repos/${REPOSITORY}/pulls/(?<index>\\d+)/reviews$`),
    query: nothing,
    body: z.strictObject({
      event: z.enum(['APPROVED', 'COMMENT', 'REQUEST_CHANGES', 'PENDING']),
      body: z.string().optional(),
      comments: z.array(z.strictObject({ path: z.string(), body: z.string(), new_position: z.int() })),
    }),
    reply: reviewSchema,
    act: call => {
      const { review } = call.repository.talk.review(Number(call.values['index']), API_USER, {
        lines: call.body.comments.map(({ path, body, new_position: line }) => ({ path, body, line })),
      });
      return { status: 200, body: reviewObject(call, review) };
    },
  }),
];

function notFound(): EmulatedReply {
  return { status: 404, body: { message: "The target couldn't be found.", url: 'https://gitea.example/api/swagger' } };
}

function findComment({ repository, values }: Call): EmulatedComment | undefined {
  return repository.talk.comments.find(({ id }) => id === Number(values['id']));
}

function reacted({ repository }: Call, target: string, content: string): EmulatedReply {
  repository.talk.reactions.push({ target, content });
  return { status: 201, body: { user: userObject(API_USER), content, created_at: now() } };
}

function userObject(login: string): z.input<typeof userSchema> {
  return { id: login.length, login };
}

export function commentObject(call: Omit<Call, 'values'>, comment: EmulatedComment): z.input<typeof commentSchema> {
  const { id, on, by, body, at, updatedAt } = comment;
  const page = pageOf(call, on.isPull, on.number);
  return {
    id,
    html_url: `${page}#issuecomment-${id}`,
    issue_url: on.isPull ? '' : page,
    pull_request_url: on.isPull ? page : '',
    user: userObject(by),
    body,
    assets: [],
    created_at: at,
    updated_at: updatedAt,
  };
}

function reviewObject(call: Call, { id, pull, by, body, state, at }: EmulatedReview): z.input<typeof reviewSchema> {
  const page = pageOf(call, true, pull);
  return {
    id,
    user: userObject(by),
    state,
    body,
    commit_id: '',
    stale: false,
    comments_count: call.repository.talk.comments.filter(({ line }) => line?.review === id).length,
    submitted_at: at,
    html_url: `${page}#issuecomment-${id}`,
    pull_request_url: page,
  };
}

function lineObject(call: Call, comment: EmulatedComment): z.input<typeof reviewCommentSchema> {
  const { id, on, by, body, at, updatedAt, line } = comment;
  const page = pageOf(call, true, on.number);
  return {
    id,
    body,
    user: userObject(by),
    pull_request_review_id: line?.review ?? 0,
    created_at: at,
    updated_at: updatedAt,
    path: line?.path ?? '',
    commit_id: '',
    diff_hunk: '@@ -0,0 +1 @@',
    position: isOn(comment, on) ? (line?.line ?? 0) : 0,
    original_position: 0,
    html_url: `${page}#issuecomment-${id}`,
    pull_request_url: page,
  };
}

function pageOf({ origin, repository }: Omit<Call, 'values'>, isPull: boolean, number: number): string {
  return `${origin}/${repository.owner}/${repository.name}/${isPull ? 'pulls' : 'issues'}/${number}`;
}
