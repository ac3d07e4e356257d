import { z } from 'zod';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Forge } from '../forge.ts';
import type { CreateFailure, DeskRules, FoundPullRequest, NewPullRequest } from '../openOnce.ts';
import type { PullRequestTexts } from '../pullRequestTexts.ts';
import { mayHaveHappened } from '../restApi.ts';
import { createRestForge, type RepositoryApi, type RepositoryDesk, type RestForgeOptions } from '../restForge.ts';
import { GITLAB, gitlabPath } from './gitlab.ts';
import { gitlabMergeSchema, withoutQuickActions } from './gitlabMergeRequest.ts';

const PAGE = 100;

/** Null while the repository is empty. */
const projectSchema = z.object({ path_with_namespace: z.string(), default_branch: z.string().nullish() });

const RULES: DeskRules = {
  forge: GITLAB.forge,
  // The body may have a megabyte there, of any characters.
  limits: {
    title: 255,
    titleIn: 'units',
    body: 262_144,
    cutMark: '\n\n(This text was too long and has been cut.)',
  },
  draftPrefix: 'Draft: ',
  plainBody: withoutQuickActions,
};

/** GitLab, whose merge requests are pull requests here and whose projects may lie in groups of groups. */
export function createGitlabForge(options: RestForgeOptions): Forge {
  return createRestForge(GITLAB, { rules: RULES, desk: api => new GitlabDesk(api) }, options);
}

class GitlabDesk implements RepositoryDesk {
  readonly #api: RepositoryApi;
  readonly #path: string;

  constructor(api: RepositoryApi) {
    this.#api = api;
    this.#path = gitlabPath(api.repository);
  }

  async defaultBranch(): Promise<string> {
    const answer = await this.#api.request('GET', this.#path);
    const project = this.#api.read(projectSchema, answer, 'read the project');
    if (!project.default_branch) {
      throw new SandpiperError('forge_refused', `${project.path_with_namespace} has no branch yet.`, {
        hint: 'Push its first commit, or choose a base branch.',
      });
    }
    return project.default_branch;
  }

  async read(number: number): Promise<FoundPullRequest | undefined> {
    const answer = await this.#api.request('GET', `${this.#path}/merge_requests/${number}`);
    return 'failure' in answer && answer.failure.status === 404
      ? undefined
      : this.#api.read(gitlabMergeSchema, answer, `read merge request !${number}`);
  }

  /** Those of forks with a branch of the same name are among them, which fill no page. */
  async list(branch: string, baseBranch: string): Promise<FoundPullRequest[]> {
    const answer = await this.#api.request('GET', `${this.#path}/merge_requests`, {
      query: { state: 'opened', source_branch: branch, target_branch: baseBranch, per_page: `${PAGE}` },
    });
    return this.#api.read(z.array(gitlabMergeSchema), answer, 'list the merge requests');
  }

  async create({ branch, baseBranch, title, body }: NewPullRequest): Promise<FoundPullRequest | CreateFailure> {
    const answer = await this.#api.request('POST', `${this.#path}/merge_requests`, {
      body: { title, description: body, source_branch: branch, target_branch: baseBranch },
    });
    const what = `open a merge request of ${branch} into its base ${baseBranch}`;
    return 'failure' in answer
      ? {
          uncertain: mayHaveHappened(answer),
          exists: answer.failure.status === 409,
          error: this.#api.error(answer.failure, what),
        }
      : this.#api.read(gitlabMergeSchema, answer, what);
  }

  async update(number: number, { title, body }: PullRequestTexts): Promise<FoundPullRequest> {
    const answer = await this.#api.request('PUT', `${this.#path}/merge_requests/${number}`, {
      body: { title, description: body },
    });
    return this.#api.read(gitlabMergeSchema, answer, `update merge request !${number}`);
  }
}
