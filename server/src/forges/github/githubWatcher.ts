import type { Octokit } from '@octokit/rest';
import { z } from 'zod';
import type { PullRequestStatus } from '../../../../protocol/pullRequestStatus.ts';
import type { Place } from '../colleague.ts';
import type { PullWatcher, Remembered, WatchedPull } from '../watchedPull.ts';
import { GithubClients, type GithubApi, type GithubForgeOptions } from './githubClients.ts';

const PAGE = 100;
/** Of longer reviews only the newest part would matter; they are not read to their end. */
const MAX_PAGES = 5;
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 200;

const pullSchema = z.object({
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  draft: z.boolean().optional(),
  mergeable: z.boolean().nullish(),
  user: z.object({ login: z.string() }).nullish(),
  head: z.object({ sha: z.string() }),
  base: z.object({ ref: z.string() }),
});
const checksSchema = z.object({
  check_runs: z.array(z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullable() })),
});
const statusesSchema = z.object({ statuses: z.array(z.object({ context: z.string(), state: z.string() })) });
const reviewsSchema = z.array(z.object({ state: z.string(), user: z.object({ login: z.string() }).nullable() }));
const threadsSchema = z.array(
  z.object({ id: z.int(), in_reply_to_id: z.int().optional(), line: z.int().nullish(), body: z.string() }),
);
const comparisonSchema = z.object({ behind_by: z.int().nonnegative() });

const FAILED = new Set(['failure', 'timed_out', 'startup_failure', 'action_required', 'error']);
const DECIDES = new Set(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED']);

type Headers = { 'if-none-match'?: string };
type Send = (octokit: Octokit, headers: Headers) => Promise<{ data: unknown; headers: { etag?: string | undefined } }>;

/** @param options isOurs whether a text of the forge was written by this relay */
export function createGithubWatcher(options: GithubForgeOptions & { isOurs: (text: string) => boolean }): PullWatcher {
  const clients = new GithubClients(options);
  return {
    read: async ({ repository, token }: Place, number, remembered) =>
      new Reading(await clients.api(repository, token), number, remembered, options.isOurs).read(),
  };
}

/** One look at one pull request. What has not changed since the last costs no part of the rate limit. */
class Reading {
  readonly #api: GithubApi;
  readonly #number: number;
  readonly #remembered: Remembered;
  readonly #used = new Set<string>();
  readonly #isOurs: (text: string) => boolean;

  constructor(api: GithubApi, number: number, remembered: Remembered, isOurs: (text: string) => boolean) {
    this.#api = api;
    this.#number = number;
    this.#remembered = remembered;
    this.#isOurs = isOurs;
  }

  async read(): Promise<WatchedPull> {
    const { place } = this.#api;
    const pull = pullSchema.parse(
      await this.#ask('pull', `read pull request #${this.#number}`, (octokit, headers) =>
        octokit.rest.pulls.get({ ...place, pull_number: this.#number, headers }),
      ),
    );
    const basic = {
      state: pull.merged ? ('merged' as const) : pull.state,
      draft: pull.draft ?? false,
      baseBranch: pull.base.ref,
    };
    const status = basic.state === 'open' ? await this.#status(pull) : undefined;
    for (const key of this.#remembered.keys()) {
      if (!this.#used.has(key)) {
        this.#remembered.delete(key);
      }
    }
    return { ...basic, ...(status ? { status } : {}) };
  }

  async #status({ head, base, mergeable, user }: z.infer<typeof pullSchema>): Promise<PullRequestStatus> {
    const [checks, review, unanswered, behind] = await Promise.all([
      this.#checks(head.sha),
      this.#review(user?.login),
      this.#unanswered(),
      this.#behind(base.ref, head.sha),
    ]);
    return {
      checks,
      review,
      unanswered,
      ...(mergeable === undefined || mergeable === null ? {} : { conflicts: !mergeable }),
      ...(behind === undefined ? {} : { behind }),
    };
  }

  /** Checks of Apps, and statuses, which older services write; a token may not be allowed to read these. */
  async #checks(commit: string): Promise<PullRequestStatus['checks']> {
    const { place } = this.#api;
    const [runs, statuses] = await Promise.all([
      this.#maybe(`checks ${commit}`, 'read the checks', (octokit, headers) =>
        octokit.rest.checks.listForRef({ ...place, ref: commit, per_page: PAGE, headers }),
      ),
      this.#maybe(`statuses ${commit}`, 'read the statuses', (octokit, headers) =>
        octokit.rest.repos.getCombinedStatusForRef({ ...place, ref: commit, per_page: PAGE, headers }),
      ),
    ]);
    const all = [
      ...(runs === undefined ? [] : checksSchema.parse(runs).check_runs).map(({ name, status, conclusion }) => ({
        name,
        state: status === 'completed' ? (conclusion ?? '') : 'pending',
      })),
      ...(statuses === undefined ? [] : statusesSchema.parse(statuses).statuses).map(({ context, state }) => ({
        name: context,
        state,
      })),
    ];
    const failed = namesOf(all.filter(({ state }) => FAILED.has(state)));
    const pending = namesOf(all.filter(({ state }) => state === 'pending'));
    const state = failed.length > 0 ? 'failed' : pending.length > 0 ? 'pending' : all.length > 0 ? 'passed' : 'none';
    return { state, failed, pending };
  }

  async #review(author: string | undefined): Promise<PullRequestStatus['review']> {
    const { place } = this.#api;
    const found = await this.#pages('reviews', 'read the reviews', (octokit, headers, page) =>
      octokit.rest.pulls.listReviews({ ...place, pull_number: this.#number, per_page: PAGE, page, headers }),
    );
    const last = new Map<string, string>();
    for (const { state, user } of reviewsSchema.parse(found)) {
      if (DECIDES.has(state) && user && user.login !== author) {
        last.set(user.login, state);
      }
    }
    const words = [...last.values()];
    return words.includes('CHANGES_REQUESTED') ? 'changesRequested' : words.includes('APPROVED') ? 'approved' : 'none';
  }

  /** REST does not say whether a thread was resolved, so the last word in it counts. */
  async #unanswered(): Promise<number> {
    const { place } = this.#api;
    const found = await this.#pages('threads', 'read the review comments', (octokit, headers, page) =>
      octokit.rest.pulls.listReviewComments({ ...place, pull_number: this.#number, per_page: PAGE, page, headers }),
    );
    const threads = new Map<number, { there: boolean; ours: boolean }>();
    for (const { id, in_reply_to_id: first, line, body } of threadsSchema.parse(found)) {
      const thread = first ?? id;
      const there = threads.get(thread)?.there ?? (line !== null && line !== undefined);
      threads.set(thread, { there, ours: this.#isOurs(body) });
    }
    return [...threads.values()].filter(({ there, ours }) => there && !ours).length;
  }

  async #behind(base: string, commit: string): Promise<number | undefined> {
    const { place } = this.#api;
    const answer = await this.#maybe(`behind ${base} ${commit}`, 'compare it with its base', (octokit, headers) =>
      octokit.rest.repos.compareCommitsWithBasehead({
        ...place,
        basehead: `${base}...${commit}`,
        per_page: 1,
        headers,
      }),
    );
    return answer === undefined ? undefined : comparisonSchema.parse(answer).behind_by;
  }

  async #pages(
    key: string,
    what: string,
    send: (octokit: Octokit, headers: Headers, page: number) => ReturnType<Send>,
  ): Promise<unknown[]> {
    const all: unknown[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const found = z
        .array(z.unknown())
        .parse(await this.#ask(`${key} ${page}`, what, (octokit, headers) => send(octokit, headers, page)));
      all.push(...found);
      if (found.length < PAGE) {
        break;
      }
    }
    return all;
  }

  /** Undefined when the token may not read it. */
  async #maybe(key: string, what: string, send: Send): Promise<unknown> {
    const answer = await this.#attempt(key, send);
    if ('data' in answer) {
      return answer.data;
    }
    const { status, headers } = answer.failure;
    if (
      (status === 403 && headers['retry-after'] === undefined && headers['x-ratelimit-remaining'] !== '0') ||
      status === 404
    ) {
      return undefined;
    }
    throw this.#api.error(answer.failure, what);
  }

  async #ask(key: string, what: string, send: Send): Promise<unknown> {
    const answer = await this.#attempt(key, send);
    if ('failure' in answer) {
      throw this.#api.error(answer.failure, what);
    }
    return answer.data;
  }

  async #attempt(key: string, send: Send): ReturnType<GithubApi['attempt']> {
    this.#used.add(key);
    const known = this.#remembered.get(key);
    const answer = await this.#api.attempt(async octokit => {
      const { data, headers } = await send(octokit, known ? { 'if-none-match': known.etag } : {});
      if (headers.etag !== undefined) {
        this.#remembered.set(key, { etag: headers.etag, data });
      }
      return { data };
    });
    return known && 'failure' in answer && answer.failure.status === 304 ? { data: known.data } : answer;
  }
}

function namesOf(checks: readonly { name: string }[]): string[] {
  return [...new Set(checks.map(({ name }) => name.slice(0, MAX_NAME_CHARS)))].slice(0, MAX_NAMES);
}
