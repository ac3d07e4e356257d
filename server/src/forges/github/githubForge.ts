import { setTimeout } from 'node:timers/promises';
import type { PullRequest } from '../../../../protocol/events.ts';
import type { Forge, ForgeRepository, PullRequestRequest, PushCredential } from '../forge.ts';
import { checkToken, GithubClients, type GithubApi, type GithubForgeOptions } from './githubClients.ts';
import { isUncertain } from './githubErrors.ts';
import { sameTexts } from '../pullRequestTexts.ts';
import {
  fitGithubTexts,
  readDefaultBranch,
  readPullRequest,
  readPullRequests,
  toPullRequest,
} from './githubPullRequest.ts';
import type { FoundPullRequest } from '../openOnce.ts';
import { gitUrl, matchGithubRemote } from './githubRemote.ts';

/** How often an unconfirmed pull request is looked for, and how long after each time: GitHub shows new ones late. */
const LOOK_AGAIN_MS = [200, 600, 1500];

export function createGithubForge(options: GithubForgeOptions): Forge {
  return new GithubForge(new GithubClients(options));
}

class GithubForge implements Forge {
  readonly id = 'github';
  readonly #clients: GithubClients;

  constructor(clients: GithubClients) {
    this.#clients = clients;
  }

  match(remoteUrl: string): ForgeRepository | undefined {
    const found = matchGithubRemote(remoteUrl, this.#clients.hosts);
    return found && { forge: this.id, ...found };
  }

  tokenHint(): string {
    return 'Sign in to GitHub in VS Code or with `sandpiper login`, or set SANDPIPER_GITHUB_TOKEN for the relay.';
  }

  pushCredential(repository: ForgeRepository, token: string): PushCredential {
    checkToken(token);
    return {
      url: gitUrl(this.#clients.hostOf(repository), repository.owner, repository.name),
      header: `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
    };
  }

  async defaultBranch(repository: ForgeRepository, token: string): Promise<string> {
    const api = await this.#clients.api(repository, token);
    return readDefaultBranch(await api.ask('read the repository', octokit => octokit.rest.repos.get(api.place)));
  }

  async openPullRequest(request: PullRequestRequest): Promise<{ pullRequest: PullRequest; created: boolean }> {
    const api = await this.#clients.api(request.repository, request.token);
    const existing = (await readKnown(api, request)) ?? (await find(api, request));
    const { found, created } = existing
      ? { found: await update(api, existing, request), created: false }
      : await create(api, request, request.draft);
    return { pullRequest: toPullRequest(found, request.headCommit), created };
  }
}

/** The pull request that the session opened before, while it is open; its base may have been changed by a person. */
async function readKnown(api: GithubApi, request: PullRequestRequest): Promise<FoundPullRequest | undefined> {
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

async function find(api: GithubApi, request: PullRequestRequest): Promise<FoundPullRequest | undefined> {
  const { branch, baseBranch } = request;
  const answer = await api.ask('list the pull requests', octokit =>
    octokit.rest.pulls.list({ ...api.place, head: `${api.place.owner}:${branch}`, base: baseBranch, state: 'open' }),
  );
  // GitHub leaves a filter out that it does not understand, so what it found is looked at again.
  return readPullRequests(answer).find(
    found => found.branch === branch && found.baseBranch === baseBranch && found.sameRepository,
  );
}

async function update(api: GithubApi, found: FoundPullRequest, request: PullRequestRequest): Promise<FoundPullRequest> {
  const texts = fitGithubTexts(request);
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
): Promise<{ found: FoundPullRequest; created: boolean }> {
  const texts = fitGithubTexts(request);
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

async function findLate(api: GithubApi, request: PullRequestRequest): Promise<FoundPullRequest | undefined> {
  for (const delayMs of LOOK_AGAIN_MS) {
    await setTimeout(delayMs);
    const found = await find(api, request).catch(() => undefined);
    if (found) {
      return found;
    }
  }
  return undefined;
}
