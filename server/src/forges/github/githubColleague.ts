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
import { GithubClients, type GithubApi, type GithubForgeOptions } from './githubClients.ts';

const PAGE = 100;
/** Longer conversations are not read to their end. */
const MAX_PAGES = 20;
const MAX_BODY_CHARS = 65_000;
/** GitHub gives logs whole; only their ends are kept. */
const MAX_LOG_CHARS = 400_000;
const MAX_FAILED_CHECKS = 5;

const textSchema = z
  .string()
  .nullish()
  .transform(text => text ?? '');
const userSchema = z
  .object({ login: z.string(), type: z.string().optional() })
  .nullable()
  .transform(user => ({
    by: user?.login ?? 'ghost',
    isBot: user?.type === 'Bot' || user?.login.endsWith('[bot]') === true,
  }));
const commentSchema = z.object({
  id: z.int(),
  body: textSchema,
  html_url: z.string(),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
});
const reviewCommentSchema = z.object({
  id: z.int(),
  pull_request_review_id: z.int().nullable(),
  in_reply_to_id: z.int().optional(),
  path: z.string(),
  line: z.int().nullish(),
  diff_hunk: z.string(),
  body: z.string(),
  user: userSchema,
  updated_at: z.string(),
});
const reviewSchema = z.object({
  id: z.int(),
  body: textSchema,
  state: z.string(),
  html_url: z.string(),
  user: userSchema,
  submitted_at: z.string().optional(),
});
const pullSchema = z.object({
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  closed_at: textSchema,
  head: z.object({ sha: z.string() }),
});
const checkSchema = z.object({
  id: z.int(),
  name: z.string(),
  html_url: z.string().nullable(),
  conclusion: z.string().nullable(),
  output: z.object({ title: textSchema, summary: textSchema, text: textSchema }),
  app: z.object({ slug: z.string().optional() }).nullable(),
});

const FAILED = ['failure', 'timed_out', 'startup_failure'];

export function createGithubColleague(options: GithubForgeOptions): Colleague {
  return new GithubColleague(new GithubClients(options));
}

class GithubColleague implements Colleague {
  readonly #clients: GithubClients;

  constructor(clients: GithubClients) {
    this.#clients = clients;
  }

  async mayWrite(place: Place, login: string): Promise<boolean> {
    const api = await this.#api(place);
    const answer = await api.attempt(octokit =>
      octokit.rest.repos.getCollaboratorPermissionLevel({ ...api.place, username: login }),
    );
    if ('failure' in answer) {
      if (answer.failure.status === 404) {
        return false;
      }
      throw api.error(answer.failure, `ask what ${login} may do`);
    }
    const { permission } = z.object({ permission: z.string() }).parse(answer.data);
    return permission === 'admin' || permission === 'write';
  }

  async react(place: Place, target: ReactionTarget, reaction: Reaction): Promise<void> {
    const api = await this.#api(place);
    await api.ask('react to it', octokit => {
      const { reactions } = octokit.rest;
      switch (target.kind) {
        case 'issue':
          return reactions.createForIssue({ ...api.place, issue_number: target.number, content: reaction });
        case 'comment':
          return reactions.createForIssueComment({ ...api.place, comment_id: target.id, content: reaction });
        case 'reviewComment':
          return reactions.createForPullRequestReviewComment({
            ...api.place,
            comment_id: target.id,
            content: reaction,
          });
      }
    });
  }

  async say(place: Place, { number, marker, body }: Parameters<Colleague['say']>[1]): Promise<void> {
    const api = await this.#api(place);
    const text = marked(body, marker);
    const found = (await comments(api, number)).find(comment => comment.body.includes(marker));
    if (found?.body === text) {
      return;
    }
    await api.ask(`comment on #${number}`, octokit =>
      found
        ? octokit.rest.issues.updateComment({ ...api.place, comment_id: found.id, body: text })
        : octokit.rest.issues.createComment({ ...api.place, issue_number: number, body: text }),
    );
  }

  async answer(
    place: Place,
    { number, reviewCommentId, marker, body }: Parameters<Colleague['answer']>[1],
  ): Promise<void> {
    const api = await this.#api(place);
    const all = await reviewComments(api, number);
    if (all.some(comment => comment.body.includes(marker))) {
      return;
    }
    await api.ask(`answer in pull request #${number}`, octokit =>
      octokit.rest.pulls.createReplyForReviewComment({
        ...api.place,
        pull_number: number,
        comment_id: reviewCommentId,
        body: marked(body, marker),
      }),
    );
  }

  async readPullRequest(place: Place, number: number): Promise<PullRequestNow> {
    const api = await this.#api(place);
    const answer = await api.ask(`read pull request #${number}`, octokit =>
      octokit.rest.pulls.get({ ...api.place, pull_number: number }),
    );
    const { state, merged, head, closed_at: closedAt } = pullSchema.parse(answer);
    return { state, merged, closedAt, headCommit: head.sha };
  }

  async listReviews(place: Place, number: number): Promise<ForgeReview[]> {
    const api = await this.#api(place);
    const found = await pages(page =>
      api.ask(`read the reviews of #${number}`, octokit =>
        octokit.rest.pulls.listReviews({ ...api.place, pull_number: number, per_page: PAGE, page }),
      ),
    );
    return (
      z
        .array(reviewSchema)
        .parse(found)
        // One that is still written is shown to its author.
        .filter(({ state }) => state !== 'PENDING')
        .map(({ id, body, state, html_url: url, user, submitted_at: at }) => ({
          id,
          body,
          approves: state === 'APPROVED',
          ...user,
          url,
          at: at ?? new Date(0).toISOString(),
        }))
    );
  }

  async listReviewComments(place: Place, number: number, reviewId: number): Promise<ReviewComment[]> {
    const found = await reviewComments(await this.#api(place), number);
    return found
      .filter(comment => comment.pull_request_review_id === reviewId)
      .map(({ id, in_reply_to_id: first, path, line, diff_hunk: diffHunk, body, user, updated_at: updatedAt }) => ({
        id,
        threadId: first ?? id,
        path,
        line: line ?? undefined,
        diffHunk,
        body,
        by: user.by,
        updatedAt: Date.parse(updatedAt),
      }));
  }

  async listComments(place: Place, { number }: Conversation): Promise<IssueComment[]> {
    const found = await comments(await this.#api(place), number);
    return found.map(({ id, body, html_url: url, user, created_at: createdAt, updated_at: updatedAt }) => ({
      id,
      body,
      ...user,
      url,
      createdAt: Date.parse(createdAt),
      updatedAt: Date.parse(updatedAt),
    }));
  }

  async failedChecks(place: Place, commit: string): Promise<FailedCheck[]> {
    const api = await this.#api(place);
    const answer = await api.ask(`read the checks of ${commit.slice(0, 7)}`, octokit =>
      octokit.rest.checks.listForRef({ ...api.place, ref: commit, per_page: PAGE }),
    );
    const runs = z.object({ check_runs: z.array(checkSchema) }).parse(answer).check_runs;
    const failed = runs.filter(({ conclusion }) => FAILED.includes(conclusion ?? ''));
    return Promise.all(
      failed.slice(0, MAX_FAILED_CHECKS).map(async ({ id, name, html_url: url, output, app }) => ({
        name,
        url: url ?? '',
        summary: [output.title, output.summary, output.text].filter(part => part !== '').join('\n\n'),
        log: app?.slug === 'github-actions' ? await readLog(api, id) : '',
      })),
    );
  }

  #api({ repository, token }: Place): Promise<GithubApi> {
    return this.#clients.api(repository, token);
  }
}

/** A job of GitHub Actions has the id of its check. A log that is gone or may not be read is no failure: the rest is told. */
async function readLog(api: GithubApi, jobId: number): Promise<string> {
  const answer = await api.attempt(octokit =>
    octokit.rest.actions.downloadJobLogsForWorkflowRun({ ...api.place, job_id: jobId }),
  );
  return 'data' in answer && typeof answer.data === 'string' ? answer.data.slice(-MAX_LOG_CHARS) : '';
}

async function comments(api: GithubApi, number: number): Promise<z.infer<typeof commentSchema>[]> {
  const found = await pages(page =>
    api.ask(`read the comments of #${number}`, octokit =>
      octokit.rest.issues.listComments({ ...api.place, issue_number: number, per_page: PAGE, page }),
    ),
  );
  return z.array(commentSchema).parse(found);
}

async function reviewComments(api: GithubApi, number: number): Promise<z.infer<typeof reviewCommentSchema>[]> {
  const found = await pages(page =>
    api.ask(`read the review comments of #${number}`, octokit =>
      octokit.rest.pulls.listReviewComments({ ...api.place, pull_number: number, per_page: PAGE, page }),
    ),
  );
  return z.array(reviewCommentSchema).parse(found);
}

async function pages(read: (page: number) => Promise<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const found = z.array(z.unknown()).parse(await read(page));
    all.push(...found);
    if (found.length < PAGE) {
      break;
    }
  }
  return all;
}

function marked(body: string, marker: string): string {
  return `${body.slice(0, MAX_BODY_CHARS)}\n\n${marker}`;
}
