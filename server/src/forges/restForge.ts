import type { SandpiperError } from '../../../protocol/errors.ts';
import type { ForgeHost } from '../core/forgeConfig.ts';
import type { Forge, ForgeRepository } from './forge.ts';
import { ForgeRemotes, type RemoteRules } from './forgeRemote.ts';
import { openOnce, type DeskRules, type PullRequestDesk } from './openOnce.ts';
import { checkToken, RestApi, type RestAnswer } from './restApi.ts';
import { notThisForge, toRestError, type RestFailure } from './restFailure.ts';

/** How one kind of forge is found and asked. */
export interface RestAccess {
  forge: string;
  remotes: RemoteRules;
  /** Of the variables that name its hosts and tokens. */
  prefix: string;
  /** What a token must be allowed, as a sentence. */
  needs: string;
  authorization: (token: string) => string;
}

export interface RestForgeOptions {
  hosts: readonly ForgeHost[];
  fetch?: typeof fetch;
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

/** The way to every repository of one kind of forge. */
export class RestForges {
  readonly remotes: ForgeRemotes;
  readonly #access: RestAccess;
  readonly #options: RestForgeOptions;

  constructor(access: RestAccess, options: RestForgeOptions) {
    this.remotes = new ForgeRemotes(options.hosts, access.remotes);
    this.#access = access;
    this.#options = options;
  }

  /** @throws `no_forge` */
  hostOf(repository: ForgeRepository): ForgeHost {
    return this.remotes.hostOf(repository, `${this.#access.prefix}_HOSTS`);
  }

  tokenHint({ host }: ForgeRepository): string {
    return `Enter a token for ${host} in VS Code, or set ${this.#access.prefix}_TOKEN for the relay, as ${host}=<token>.`;
  }

  api(repository: ForgeRepository, token: string): RepositoryApi {
    const { authorization, needs } = this.#access;
    const { fetch } = this.#options;
    const host = this.hostOf(repository);
    const api = new RestApi({ host, token, authorization: authorization(token), ...(fetch ? { fetch } : {}) });
    return new RepositoryApi(api, repository, { needs, signIn: this.tokenHint(repository) });
  }
}

export function createRestForge(
  access: RestAccess,
  { rules, desk }: { rules: DeskRules; desk: (api: RepositoryApi) => RepositoryDesk },
  options: RestForgeOptions,
): Forge {
  const forges = new RestForges(access, options);
  const { remotes } = forges;
  const deskOf = (repository: ForgeRepository, token: string) => desk(forges.api(repository, token));
  return {
    id: access.forge,
    match: remoteUrl => {
      const found = remotes.match(remoteUrl);
      return found && { forge: access.forge, ...found };
    },
    tokenHint: repository => forges.tokenHint(repository),
    pushCredential: (repository, token) => {
      checkToken(token, repository.host);
      return {
        url: remotes.gitUrl(forges.hostOf(repository), repository),
        header: `Authorization: Basic ${Buffer.from(`oauth2:${token}`).toString('base64')}`,
      };
    },
    defaultBranch: async (repository, token) => deskOf(repository, token).defaultBranch(),
    openPullRequest: async request => openOnce(deskOf(request.repository, request.token), request, rules),
  };
}
