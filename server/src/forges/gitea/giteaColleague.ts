import { z } from 'zod';
import type {
  Colleague,
  Conversation,
  FailedCheck,
  ForgeReview,
  IssueComment,
  Place,
  PullRequestNow,
  Reaction,
  ReactionTarget,
  ReviewComment,
} from '../colleague.ts';
import type { RestAnswer } from '../restApi.ts';
import { RestForges, type RepositoryApi, type RestForgeOptions } from '../restForge.ts';
import { GITEA, giteaPath } from './gitea.ts';

const PAGE = 50;
/** Longer conversations are not read to their end. */
const MAX_PAGES = 20;
const MAX_BODY_CHARS = 60_000;

const textSchema = z
  .string()
  .nullish()
  .transform(text => text ?? '');
const userSchema = z
  .object({ login: z.string() })
  .nullish()
  .transform(user => user?.login ?? 'ghost');
const commentSchema = z.object({
  id: z.int(),
  body: textSchema,
  html_url: z.string(),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
});
const reviewSchema = z.object({
  id: z.int(),
  body: textSchema,
  state: z.string(),
  html_url: z.string(),
  user: userSchema,
  submitted_at: textSchema,
});
const reviewCommentSchema = z.object({
  id: z.int(),
  body: textSchema,
  user: userSchema,
  path: z.string(),
  diff_hunk: textSchema,
  // 0 where that line is gone.
  position: z.int().nullish(),
  updated_at: z.string(),
});
type FoundComment = z.infer<typeof reviewCommentSchema>;
const pullSchema = z.object({
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  closed_at: textSchema,
  head: z.object({ sha: z.string() }),
});
const done = z.unknown();

/** Those that a person has submitted. */
const SUBMITTED = ['APPROVED', 'COMMENT', 'REQUEST_CHANGES'];

export function createGiteaColleague(options: RestForgeOptions): Colleague {
  return new GiteaColleague(new RestForges(GITEA, options));
}

class GiteaColleague implements Colleague {
  readonly #forges: RestForges;

  constructor(forges: RestForges) {
    this.#forges = forges;
  }

  async mayWrite(place: Place, login: string): Promise<boolean> {
    const api = this.#api(place);
    const answer = await api.request('GET', api.path(`/collaborators/${encodeURIComponent(login)}/permission`));
    if ('failure' in answer && answer.failure.status === 404) {
      return false;
    }
    const { permission } = api.read(z.object({ permission: z.string() }), answer, `ask what ${login} may do`);
    return ['owner', 'admin', 'write'].includes(permission);
  }

  /** A comment of a review is a comment there like any other. */
  async react(place: Place, target: ReactionTarget, reaction: Reaction): Promise<void> {
    const api = this.#api(place);
    const path = target.kind === 'issue' ? `/issues/${target.number}` : `/issues/comments/${target.id}`;
    const answer = await api.request('POST', api.path(`${path}/reactions`), { body: { content: reaction } });
    api.read(done, answer, 'react to it');
  }

  async say(place: Place, { number, marker, body }: Parameters<Colleague['say']>[1]): Promise<void> {
    const api = this.#api(place);
    const text = marked(body, marker);
    const found = (await comments(api, number)).find(comment => comment.body.includes(marker));
    if (found?.body === text) {
      return;
    }
    const answer = found
      ? await api.request('PATCH', api.path(`/issues/comments/${found.id}`), { body: { body: text } })
      : await api.request('POST', api.path(`/issues/${number}/comments`), { body: { body: text } });
    api.read(done, answer, `comment on #${number}`);
  }

  /** What is written on the same line is the same thread; there is no other way to answer that all versions know. */
  async answer(
    place: Place,
    { number, reviewCommentId, marker, body }: Parameters<Colleague['answer']>[1],
  ): Promise<void> {
    const api = this.#api(place);
    const all: FoundComment[] = [];
    for (const { id } of await reviews(api, number)) {
      all.push(...(await commentsOf(api, number, id)));
    }
    const first = all.find(({ id }) => id === reviewCommentId);
    if (all.some(comment => comment.body.includes(marker)) || (await this.#isSaid(api, number, marker))) {
      return;
    }
    const text = marked(body, marker);
    if (!first?.position) {
      await this.say(place, { number, isPull: true, marker, body });
      return;
    }
    const comment = { path: first.path, body: text, new_position: first.position };
    const answer = await api.request('POST', api.path(`/pulls/${number}/reviews`), {
      body: { event: 'COMMENT', comments: [comment] },
    });
    api.read(done, answer, `answer in pull request #${number}`);
  }

  async #isSaid(api: Api, number: number, marker: string): Promise<boolean> {
    return (await comments(api, number)).some(({ body }) => body.includes(marker));
  }

  async readPullRequest(place: Place, number: number): Promise<PullRequestNow> {
    const api = this.#api(place);
    const answer = await api.request('GET', api.path(`/pulls/${number}`));
    const { state, merged, closed_at: closedAt, head } = api.read(pullSchema, answer, `read pull request #${number}`);
    return { state, merged: merged === true, closedAt, headCommit: head.sha };
  }

  async listReviews(place: Place, number: number): Promise<ForgeReview[]> {
    const found = await reviews(this.#api(place), number);
    return found
      .filter(({ state }) => SUBMITTED.includes(state))
      .map(({ id, body, state, html_url: url, user: by, submitted_at: at }) => ({
        id,
        body,
        approves: state === 'APPROVED',
        by,
        isBot: isBot(by),
        url,
        at: at === '' ? new Date(0).toISOString() : at,
      }));
  }

  async listReviewComments(place: Place, number: number, reviewId: number): Promise<ReviewComment[]> {
    const found = await commentsOf(this.#api(place), number, reviewId);
    return found.map(({ id, body, user: by, path, diff_hunk: diffHunk, position, updated_at: updatedAt }) => ({
      id,
      threadId: id,
      path,
      line: position || undefined,
      diffHunk,
      body,
      by,
      updatedAt: Date.parse(updatedAt),
    }));
  }

  async listComments(place: Place, { number }: Conversation): Promise<IssueComment[]> {
    const found = await comments(this.#api(place), number);
    return found.map(({ id, body, html_url: url, user: by, created_at: createdAt, updated_at: updatedAt }) => ({
      id,
      body,
      by,
      isBot: isBot(by),
      url,
      createdAt: Date.parse(createdAt),
      updatedAt: Date.parse(updatedAt),
    }));
  }

  /** Checks are looked at on GitHub only. */
  async failedChecks(): Promise<FailedCheck[]> {
    return [];
  }

  #api({ repository, token }: Place): Api {
    return new Api(this.#forges.api(repository, token));
  }
}

class Api {
  readonly request: RepositoryApi['request'];
  readonly #api: RepositoryApi;

  constructor(api: RepositoryApi) {
    this.#api = api;
    this.request = api.request;
  }

  path(below: string): string {
    return `${giteaPath(this.#api.repository)}${below}`;
  }

  read<Schema extends z.ZodType>(schema: Schema, answer: RestAnswer, what: string): z.infer<Schema> {
    return this.#api.read(schema, answer, what);
  }
}

/** All at once: they cannot be had by the page. */
async function comments(api: Api, number: number): Promise<z.infer<typeof commentSchema>[]> {
  const answer = await api.request('GET', api.path(`/issues/${number}/comments`));
  return api.read(z.array(commentSchema), answer, `read the comments of #${number}`);
}

async function reviews(api: Api, number: number): Promise<z.infer<typeof reviewSchema>[]> {
  const all: z.infer<typeof reviewSchema>[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const answer = await api.request('GET', api.path(`/pulls/${number}/reviews`), {
      query: { limit: `${PAGE}`, page: `${page}` },
    });
    const found = api.read(z.array(reviewSchema), answer, `read the reviews of #${number}`);
    all.push(...found);
    if (found.length < PAGE) {
      break;
    }
  }
  return all;
}

async function commentsOf(api: Api, number: number, reviewId: number): Promise<FoundComment[]> {
  const answer = await api.request('GET', api.path(`/pulls/${number}/reviews/${reviewId}/comments`));
  return api.read(z.array(reviewCommentSchema), answer, `read the review comments of #${number}`);
}

function isBot(login: string): boolean {
  return login.endsWith('[bot]') || ['gitea-actions', 'forgejo-actions', 'ghost'].includes(login);
}

function marked(body: string, marker: string): string {
  return `${body.slice(0, MAX_BODY_CHARS)}\n\n${marker}`;
}
