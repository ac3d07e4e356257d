import { setTimeout } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { PullRequest } from '../../../../protocol/events.ts';
import { VERSION } from '../../core/config.ts';
import type { Forge, ForgeRepository, PullRequestRequest, PushCredential } from '../forge.ts';
import { isUncertain, toFailure, toForgeError, type GithubFailure } from './githubErrors.ts';
import {
  fitTexts,
  readDefaultBranch,
  readPullRequest,
  readPullRequests,
  sameTexts,
  toPullRequest,
  type GithubPullRequest,
} from './githubPullRequest.ts';
import { gitUrl, githubHosts, matchGithubRemote, type GithubHost } from './githubRemote.ts';

export interface GithubForgeOptions {
  /** GitHub Enterprise Servers; github.com is built in. */
  hosts: readonly GithubHost[];
  fetch?: typeof fetch;
}

/** The version whose answers this code was written for; without the header GitHub may move on. */
const API_VERSION = '2022-11-28';
const REQUEST_TIMEOUT_MS = 30_000;
/** How often an unconfirmed pull request is looked for, and how long after each time: GitHub shows new ones late. */
const LOOK_AGAIN_MS = [200, 600, 1500];

export function createGithubForge(options: GithubForgeOptions): Forge {
  return new GithubForge(options);
}

class GithubForge implements Forge {
  readonly id = 'github';
  readonly #hosts: ReadonlyMap<string, GithubHost>;
  readonly #fetch: typeof fetch;

  constructor(options: GithubForgeOptions) {
    this.#hosts = githubHosts(options.hosts);
    this.#fetch = options.fetch ?? fetch;
  }

  match(remoteUrl: string): ForgeRepository | undefined {
    const found = matchGithubRemote(remoteUrl, this.#hosts);
    return found && { forge: this.id, ...found };
  }

  pushCredential(repository: ForgeRepository, token: string): PushCredential {
    checkToken(token);
    return {
      url: gitUrl(this.#host(repository), repository.owner, repository.name),
      header: `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
    };
  }

  async defaultBranch(repository: ForgeRepository, token: string): Promise<string> {
    const api = this.#api(repository, token);
    return readDefaultBranch(await api.ask('read the repository', octokit => octokit.rest.repos.get(api.place)));
  }

  async openPullRequest(request: PullRequestRequest): Promise<{ pullRequest: PullRequest; created: boolean }> {
    const api = this.#api(request.repository, request.token);
    const existing = (await readKnown(api, request)) ?? (await find(api, request));
    const { found, created } = existing
      ? { found: await update(api, existing, request), created: false }
      : await create(api, request, request.draft);
    return { pullRequest: toPullRequest(found, request.headCommit), created };
  }

  #host({ host }: ForgeRepository): GithubHost {
    const known = this.#hosts.get(host);
    if (!known) {
      throw new SandpiperError('no_forge', `${host} is not a GitHub that this relay knows.`, {
        hint: 'Name it in SANDPIPER_GITHUB_HOSTS.',
      });
    }
    return known;
  }

  #api(repository: ForgeRepository, token: string): GithubApi {
    checkToken(token);
    const octokit = new Octokit({
      auth: token,
      baseUrl: this.#host(repository).apiUrl,
      userAgent: `sandpiper/${VERSION}`,
      // Octokit would write to the console.
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      request: { fetch: this.#fetchInTime },
    });
    octokit.hook.before('request', options => {
      options.headers['x-github-api-version'] = API_VERSION;
    });
    return new GithubApi(octokit, repository, token);
  }

  readonly #fetchInTime: typeof fetch = (input, init) =>
    this.#fetch(input, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}

/** Requests about one repository with one token. */
class GithubApi {
  readonly place: { owner: string; repo: string };
  readonly #octokit: Octokit;
  readonly #token: string;

  constructor(octokit: Octokit, repository: ForgeRepository, token: string) {
    this.#octokit = octokit;
    this.place = { owner: repository.owner, repo: repository.name };
    this.#token = token;
  }

  /** The data of an answer; a failure becomes an error fit for a person. */
  async ask(what: string, send: (octokit: Octokit) => Promise<{ data: unknown }>): Promise<unknown> {
    const answer = await this.attempt(send);
    if ('failure' in answer) {
      throw this.error(answer.failure, what);
    }
    return answer.data;
  }

  /** For requests whose failure decides what comes next. Nothing here is ever sent a second time by itself. */
  async attempt(
    send: (octokit: Octokit) => Promise<{ data: unknown }>,
  ): Promise<{ data: unknown } | { failure: GithubFailure }> {
    try {
      return { data: (await send(this.#octokit)).data };
    } catch (error) {
      return { failure: toFailure(error, this.#token) };
    }
  }

  error(failure: GithubFailure, what: string): SandpiperError {
    return toForgeError(failure, `${this.place.owner}/${this.place.repo}`, what);
  }
}

/** The pull request that the session opened before, while it is open; its base may have been changed by a person. */
async function readKnown(api: GithubApi, request: PullRequestRequest): Promise<GithubPullRequest | undefined> {
  const { known, branch } = request;
  if (known === undefined) {
    return undefined;
  }
  const answer = await api.attempt(octokit => octokit.rest.pulls.get({ ...api.place, pull_number: known }));
  if ('failure' in answer) {
    if (answer.failure.status === 404) {
      return undefined;
    }
    throw api.error(answer.failure, `read pull request #${known}`);
  }
  const found = readPullRequest(answer.data);
  return found.state === 'open' && found.branch === branch ? found : undefined;
}

async function find(api: GithubApi, request: PullRequestRequest): Promise<GithubPullRequest | undefined> {
  const { branch, baseBranch } = request;
  const answer = await api.ask('list the pull requests', octokit =>
    octokit.rest.pulls.list({ ...api.place, head: `${api.place.owner}:${branch}`, base: baseBranch, state: 'open' }),
  );
  // GitHub leaves a filter out that it does not understand, so what it found is looked at again.
  return readPullRequests(answer).find(
    found => found.branch === branch && found.baseBranch === baseBranch && found.sameRepository,
  );
}

async function update(
  api: GithubApi,
  found: GithubPullRequest,
  request: PullRequestRequest,
): Promise<GithubPullRequest> {
  const texts = fitTexts(request);
  if (sameTexts(found, texts)) {
    return found;
  }
  const answer = await api.ask(`update pull request #${found.number}`, octokit =>
    octokit.rest.pulls.update({ ...api.place, pull_number: found.number, ...texts }),
  );
  return readPullRequest(answer);
}

async function create(
  api: GithubApi,
  request: PullRequestRequest,
  draft: boolean,
): Promise<{ found: GithubPullRequest; created: boolean }> {
  const texts = fitTexts(request);
  const answer = await api.attempt(octokit =>
    octokit.rest.pulls.create({ ...api.place, ...texts, head: request.branch, base: request.baseBranch, draft }),
  );
  if (!('failure' in answer)) {
    return { found: readPullRequest(answer.data), created: true };
  }
  const { failure } = answer;
  if (isUncertain(failure)) {
    // There was none before, so one that is there now is the effect of the request whose answer was lost.
    const found = await findLate(api, request);
    if (found) {
      return { found, created: true };
    }
  }
  if (failure.status === 422) {
    const found = await find(api, request);
    if (found) {
      return { found: await update(api, found, request), created: false };
    }
    // GitHub gives this no code of its own, so its words have to do.
    if (draft && /draft/i.test(failure.reason)) {
      return create(api, request, false);
    }
  }
  throw api.error(failure, 'open the pull request');
}

async function findLate(api: GithubApi, request: PullRequestRequest): Promise<GithubPullRequest | undefined> {
  for (const delayMs of LOOK_AGAIN_MS) {
    await setTimeout(delayMs);
    const found = await find(api, request).catch(() => undefined);
    if (found) {
      return found;
    }
  }
  return undefined;
}

/** What cannot stand in a header would be quoted by the error of whoever tries. */
function checkToken(token: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SandpiperError('forge_unauthorized', 'The GitHub token has characters that no token has, or is empty.', {
      hint: 'Copy it again, without spaces and line ends.',
    });
  }
}
