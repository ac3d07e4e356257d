import { z } from 'zod';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { PullRequest } from '../../../../protocol/events.ts';
import type { ForgeHost } from '../../core/forgeConfig.ts';
import type { Forge, ForgeRepository, PullRequestRequest, PushCredential } from '../forge.ts';
import { ForgeRemotes } from '../forgeRemote.ts';
import {
  openOnce,
  type CreateFailure,
  type DeskRules,
  type FoundPullRequest,
  type PullRequestDesk,
} from '../openOnce.ts';
import type { PullRequestTexts } from '../pullRequestTexts.ts';
import { checkToken, mayHaveHappened, RestApi, type RestAnswer } from '../restApi.ts';
import { notThisForge, toRestError, type RestFailure } from '../restFailure.ts';
import { giteaPullSchema } from './giteaPullRequest.ts';

const RULES: DeskRules = {
  forge: 'gitea',
  // Gitea cuts longer titles off without a word.
  limits: { title: 255, titleIn: 'bytes', body: 65_535, cutMark: '\n\n(This text was too long and has been cut.)' },
  draftPrefix: 'WIP: ',
};
const NEEDS =
  'To push and to open pull requests the token needs the scope write:repository, and its user must be allowed to write there.';
/** Gitea gives no more at once, and cannot be asked for the pull requests of a branch. */
const PAGE = 50;
const MAX_PAGES = 20;

const repositorySchema = z.object({ default_branch: z.string().min(1) });

/** Gitea and Forgejo, whose interface is the same as far as it is used here. */
export function createGiteaForge(options: { hosts: readonly ForgeHost[]; fetch?: typeof fetch }): Forge {
  const remotes = new ForgeRemotes(options.hosts, { apiPath: '/api/v1', nested: false });
  const hostOf = (repository: ForgeRepository) => remotes.hostOf(repository, 'SANDPIPER_GITEA_HOSTS');
  const desk = (repository: ForgeRepository, token: string) => {
    const { fetch } = options;
    const host = hostOf(repository);
    const api = new RestApi({ host, token, authorization: `token ${token}`, ...(fetch ? { fetch } : {}) });
    return new GiteaDesk(api, repository);
  };
  return {
    id: RULES.forge,
    match(remoteUrl): ForgeRepository | undefined {
      const found = remotes.match(remoteUrl);
      return found && { forge: RULES.forge, ...found };
    },
    tokenHint,
    pushCredential(repository, token): PushCredential {
      checkToken(token, repository.host);
      return {
        url: remotes.gitUrl(hostOf(repository), repository),
        // Any user name does beside a token.
        header: `Authorization: Basic ${Buffer.from(`oauth2:${token}`).toString('base64')}`,
      };
    },
    defaultBranch: async (repository, token): Promise<string> => desk(repository, token).defaultBranch(),
    openPullRequest: async (request: PullRequestRequest): Promise<{ pullRequest: PullRequest; created: boolean }> =>
      openOnce(desk(request.repository, request.token), request, RULES),
  };
}

function tokenHint({ host }: ForgeRepository): string {
  return `Enter a token for ${host} in VS Code, or set SANDPIPER_GITEA_TOKEN for the relay, as ${host}=<token>.`;
}

class GiteaDesk implements PullRequestDesk {
  readonly #api: RestApi;
  readonly #repository: ForgeRepository;
  readonly #path: string;

  constructor(api: RestApi, repository: ForgeRepository) {
    this.#api = api;
    this.#repository = repository;
    this.#path = `/repos/${encodeURIComponent(repository.owner)}/${encodeURIComponent(repository.name)}`;
  }

  async defaultBranch(): Promise<string> {
    const answer = await this.#api.request('GET', this.#path);
    return this.#read(repositorySchema, answer, 'read the repository').default_branch;
  }

  async read(number: number): Promise<FoundPullRequest | undefined> {
    const answer = await this.#api.request('GET', `${this.#path}/pulls/${number}`);
    return 'failure' in answer && answer.failure.status === 404
      ? undefined
      : this.#read(giteaPullSchema, answer, `read pull request #${number}`);
  }

  async list(branch: string, baseBranch: string): Promise<FoundPullRequest[]> {
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = await this.#api.request('GET', `${this.#path}/pulls`, {
        // `base_branch` is new; older ones leave it out.
        query: { state: 'open', sort: 'recentupdate', base_branch: baseBranch, limit: `${PAGE}`, page: `${page}` },
      });
      const found = this.#read(z.array(giteaPullSchema), answer, 'list the pull requests');
      const matching = found.filter(one => one.branch === branch && one.baseBranch === baseBranch);
      if (found.length === 0 || matching.length > 0) {
        return matching;
      }
    }
    return [];
  }

  async create({
    branch,
    baseBranch,
    ...texts
  }: PullRequestTexts & { branch: string; baseBranch: string }): Promise<FoundPullRequest | CreateFailure> {
    const body = { ...texts, head: branch, base: baseBranch };
    const answer = await this.#api.request('POST', `${this.#path}/pulls`, { body });
    if (!('failure' in answer)) {
      return this.#read(giteaPullSchema, answer, 'open the pull request');
    }
    const { status } = answer.failure;
    return {
      uncertain: mayHaveHappened(answer),
      exists: status === 409,
      // The list of the same repository was shown, so this is about the branches.
      error: status === 404 ? this.#noBranch(branch, baseBranch) : this.#error(answer.failure, 'open the pull request'),
    };
  }

  async update(number: number, texts: PullRequestTexts): Promise<FoundPullRequest> {
    const answer = await this.#api.request('PATCH', `${this.#path}/pulls/${number}`, { body: texts });
    return this.#read(giteaPullSchema, answer, `update pull request #${number}`);
  }

  #read<T>(schema: z.ZodType<T>, answer: RestAnswer, what: string): T {
    if ('failure' in answer) {
      throw this.#error(answer.failure, what);
    }
    const read = schema.safeParse(answer.data);
    if (!read.success) {
      throw notThisForge(this.#api.host.host);
    }
    return read.data;
  }

  #noBranch(branch: string, baseBranch: string): SandpiperError {
    const { host } = this.#repository;
    const message = `${host} has no branch ${branch}, or no base branch ${baseBranch}, to open a pull request with.`;
    return new SandpiperError('forge_refused', message, { hint: 'Choose another base branch, or push again.' });
  }

  #error(failure: RestFailure, what: string): SandpiperError {
    return toRestError(failure, this.#repository, { what, needs: NEEDS, signIn: tokenHint(this.#repository) });
  }
}
