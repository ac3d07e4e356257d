import type { PullRequest } from '../../../../protocol/events.ts';
import type { Forge, ForgeRepository, PullRequestRequest, PushCredential } from '../forge.ts';
import { checkToken, GithubClients, type GithubApi, type GithubForgeOptions } from './githubClients.ts';
import { isUncertain } from './githubErrors.ts';
import { GITHUB_LIMITS, readDefaultBranch, readPullRequest, readPullRequests } from './githubPullRequest.ts';
import {
  openOnce,
  type CreateFailure,
  type DeskRules,
  type FoundPullRequest,
  type NewPullRequest,
  type PullRequestDesk,
} from '../openOnce.ts';
import type { PullRequestTexts } from '../pullRequestTexts.ts';
import { gitUrl, matchGithubRemote } from './githubRemote.ts';

const RULES: DeskRules = { forge: 'github', limits: GITHUB_LIMITS, draftPrefix: '', plainBody: body => body };

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
    return openOnce(new GithubDesk(api), request, RULES);
  }
}

class GithubDesk implements PullRequestDesk {
  readonly #api: GithubApi;

  constructor(api: GithubApi) {
    this.#api = api;
  }

  async read(number: number): Promise<FoundPullRequest | undefined> {
    const { place } = this.#api;
    const answer = await this.#api.attempt(octokit => octokit.rest.pulls.get({ ...place, pull_number: number }));
    if (!('failure' in answer)) {
      return readPullRequest(answer.data);
    }
    if (answer.failure.status === 404) {
      return undefined;
    }
    throw this.#api.error(answer.failure, `read pull request #${number}`);
  }

  async list(branch: string, baseBranch: string): Promise<FoundPullRequest[]> {
    const { place } = this.#api;
    const answer = await this.#api.ask('list the pull requests', octokit =>
      octokit.rest.pulls.list({ ...place, head: `${place.owner}:${branch}`, base: baseBranch, state: 'open' }),
    );
    return readPullRequests(answer);
  }

  async create({ branch, baseBranch, title, body, draft }: NewPullRequest): Promise<FoundPullRequest | CreateFailure> {
    const { place } = this.#api;
    const answer = await this.#api.attempt(octokit =>
      octokit.rest.pulls.create({ ...place, title, body, head: branch, base: baseBranch, draft }),
    );
    if (!('failure' in answer)) {
      return readPullRequest(answer.data);
    }
    const { failure } = answer;
    const isInvalid = failure.status === 422;
    return {
      uncertain: isUncertain(failure),
      // GitHub gives neither a code of its own: one that exists is looked for, and of drafts its words have to do.
      exists: isInvalid,
      noDrafts: isInvalid && /draft/i.test(failure.reason),
      error: this.#api.error(failure, 'open the pull request'),
    };
  }

  async update(number: number, texts: PullRequestTexts): Promise<FoundPullRequest> {
    const { place } = this.#api;
    const answer = await this.#api.ask(`update pull request #${number}`, octokit =>
      octokit.rest.pulls.update({ ...place, pull_number: number, ...texts }),
    );
    return readPullRequest(answer);
  }
}
