import type { SandpiperError } from '../../../protocol/errors.ts';
import type { ForgeHost } from '../core/forgeConfig.ts';
import type { Forge, ForgeRepository } from './forge.ts';
import { ForgeRemotes, type RemoteRules } from './forgeRemote.ts';
import { openOnce, type DeskRules, type PullRequestDesk } from './openOnce.ts';
import { checkToken, RestApi, type RestAnswer } from './restApi.ts';
import { notThisForge, toRestError, type RestFailure } from './restFailure.ts';

/** What makes one kind of forge out of the parts that all have in common. */
export interface RestForgeSpec {
  rules: DeskRules;
  remotes: RemoteRules;
  /** Of the variables that name its hosts and tokens. */
  prefix: string;
  /** What a token must be allowed, as a sentence. */
  needs: string;
  authorization: (token: string) => string;
  desk: (api: RepositoryApi) => RepositoryDesk;
}

export interface RepositoryDesk extends PullRequestDesk {
  defaultBranch(): Promise<string>;
}

/** What a schema is, whoever made it. */
interface Reader<T> {
  safeParse(data: unknown): { success: true; data: T } | { success: false };
}

/** Requests about one repository with one token. */
export class RepositoryApi {
  readonly repository: ForgeRepository;
  readonly request: RestApi['request'];
  readonly #words: { needs: string; signIn: string };

  constructor(api: RestApi, repository: ForgeRepository, words: { needs: string; signIn: string }) {
    this.repository = repository;
    this.request = (...asked) => api.request(...asked);
    this.#words = words;
  }

  /** What an answer says; a failure becomes an error fit for a person. @param what the request in words */
  read<T>(reader: Reader<T>, answer: RestAnswer, what: string): T {
    if ('failure' in answer) {
      throw this.error(answer.failure, what);
    }
    const read = reader.safeParse(answer.data);
    if (!read.success) {
      throw notThisForge(this.repository.host);
    }
    return read.data;
  }

  error(failure: RestFailure, what: string): SandpiperError {
    return toRestError(failure, this.repository, { what, ...this.#words });
  }
}

export function createRestForge(
  { rules, remotes: remoteRules, prefix, needs, authorization, desk }: RestForgeSpec,
  options: { hosts: readonly ForgeHost[]; fetch?: typeof fetch },
): Forge {
  const remotes = new ForgeRemotes(options.hosts, remoteRules);
  const hostOf = (repository: ForgeRepository) => remotes.hostOf(repository, `${prefix}_HOSTS`);
  const tokenHint = ({ host }: ForgeRepository) =>
    `Enter a token for ${host} in VS Code, or set ${prefix}_TOKEN for the relay, as ${host}=<token>.`;
  const deskOf = (repository: ForgeRepository, token: string) => {
    const { fetch } = options;
    const host = hostOf(repository);
    const api = new RestApi({ host, token, authorization: authorization(token), ...(fetch ? { fetch } : {}) });
    return desk(new RepositoryApi(api, repository, { needs, signIn: tokenHint(repository) }));
  };
  return {
    id: rules.forge,
    match: remoteUrl => {
      const found = remotes.match(remoteUrl);
      return found && { forge: rules.forge, ...found };
    },
    tokenHint,
    pushCredential: (repository, token) => {
      checkToken(token, repository.host);
      return {
        url: remotes.gitUrl(hostOf(repository), repository),
        header: `Authorization: Basic ${Buffer.from(`oauth2:${token}`).toString('base64')}`,
      };
    },
    defaultBranch: async (repository, token) => deskOf(repository, token).defaultBranch(),
    openPullRequest: async request => openOnce(deskOf(request.repository, request.token), request, rules),
  };
}
