import { z } from 'zod';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Forge } from '../forge.ts';
import type { CreateFailure, DeskRules, FoundPullRequest, NewPullRequest } from '../openOnce.ts';
import type { PullRequestTexts } from '../pullRequestTexts.ts';
import { mayHaveHappened } from '../restApi.ts';
import { createRestForge, type RepositoryApi, type RepositoryDesk, type RestForgeOptions } from '../restForge.ts';
import { GITEA, giteaPath } from './gitea.ts';
import { giteaPullSchema } from './giteaPullRequest.ts';

/** Gitea gives no more at once, and cannot be asked for the pull requests of a branch. */
const PAGE = 50;
const MAX_PAGES = 20;

const repositorySchema = z.object({ default_branch: z.string().min(1) });

const RULES: DeskRules = {
  forge: GITEA.forge,
  // Gitea cuts longer titles off without a word.
  limits: {
    title: 255,
    titleIn: 'bytes',
    body: 65_535,
    cutMark: '\n\n(This text was too long and has been cut.)',
  },
  draftPrefix: 'WIP: ',
  plainBody: body => body,
};

/** Gitea and Forgejo, whose interface is the same as far as it is used here. */
export function createGiteaForge(options: RestForgeOptions): Forge {
  return createRestForge(GITEA, { rules: RULES, desk: api => new GiteaDesk(api) }, options);
}

class GiteaDesk implements RepositoryDesk {
  readonly #api: RepositoryApi;
  readonly #path: string;

  constructor(api: RepositoryApi) {
    this.#api = api;
    this.#path = giteaPath(api.repository);
  }

  async defaultBranch(): Promise<string> {
    const answer = await this.#api.request('GET', this.#path);
    return this.#api.read(repositorySchema, answer, 'read the repository').default_branch;
  }

  async read(number: number): Promise<FoundPullRequest | undefined> {
    const answer = await this.#api.request('GET', `${this.#path}/pulls/${number}`);
    return 'failure' in answer && answer.failure.status === 404
      ? undefined
      : this.#api.read(giteaPullSchema, answer, `read pull request #${number}`);
  }

  async list(branch: string, baseBranch: string): Promise<FoundPullRequest[]> {
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = await this.#api.request('GET', `${this.#path}/pulls`, {
        // `base_branch` is new; older ones leave it out.
        query: { state: 'open', sort: 'recentupdate', base_branch: baseBranch, limit: `${PAGE}`, page: `${page}` },
      });
      const found = this.#api.read(z.array(giteaPullSchema), answer, 'list the pull requests');
      const matching = found.filter(
        one => one.branch === branch && one.baseBranch === baseBranch && one.sameRepository,
      );
      if (found.length === 0 || matching.length > 0) {
        return matching;
      }
    }
    return [];
  }

  async create({ branch, baseBranch, title, body: text }: NewPullRequest): Promise<FoundPullRequest | CreateFailure> {
    const body = { title, body: text, head: branch, base: baseBranch };
    const answer = await this.#api.request('POST', `${this.#path}/pulls`, { body });
    if (!('failure' in answer)) {
      return this.#api.read(giteaPullSchema, answer, 'open the pull request');
    }
    const { status } = answer.failure;
    return {
      uncertain: mayHaveHappened(answer),
      exists: status === 409,
      error:
        // The list of the same repository was shown, so this is about the branches.
        status === 404 ? this.#noBranch(branch, baseBranch) : this.#api.error(answer.failure, 'open the pull request'),
    };
  }

  async update(number: number, texts: PullRequestTexts): Promise<FoundPullRequest> {
    const answer = await this.#api.request('PATCH', `${this.#path}/pulls/${number}`, { body: texts });
    return this.#api.read(giteaPullSchema, answer, `update pull request #${number}`);
  }

  #noBranch(branch: string, baseBranch: string): SandpiperError {
    const { host } = this.#api.repository;
    const message = `${host} has no branch ${branch}, or no base branch ${baseBranch}, to open a pull request with.`;
    return new SandpiperError('forge_refused', message, { hint: 'Choose another base branch, or push again.' });
  }
}
