import type { Octokit } from '@octokit/rest';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { VERSION } from '../../core/config.ts';
import type { ForgeRepository } from '../forge.ts';
import { toFailure, toForgeError, type GithubFailure } from './githubErrors.ts';
import { githubHosts, type GithubHost } from './githubRemote.ts';

export interface GithubForgeOptions {
  /** GitHub Enterprise Servers; github.com is built in. */
  hosts: readonly GithubHost[];
  fetch?: typeof fetch;
  /** How long an answer may take, to its last byte. */
  timeoutMs?: number;
}

/** The version whose answers this code was written for; without the header GitHub may move on. */
export const API_VERSION = '2022-11-28';
const REQUEST_TIMEOUT_MS = 30_000;

/** Octokit would write to the console. */
export const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Loads the client of GitHub, which is large and which no relay needs to start. To be called soon after that: an update may
 * take the file away under a relay that runs.
 */
export async function loadGithubClient(): Promise<void> {
  await import('@octokit/rest');
}

/** Makes the way to one repository with one token. */
export class GithubClients {
  readonly hosts: ReadonlyMap<string, GithubHost>;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor(options: GithubForgeOptions) {
    this.hosts = githubHosts(options.hosts);
    this.#fetch = options.fetch ?? fetch;
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
  }

  /** @throws `no_forge` */
  hostOf({ host }: Pick<ForgeRepository, 'host'>): GithubHost {
    const known = this.hosts.get(host);
    if (!known) {
      throw new SandpiperError('no_forge', `${host} is not a GitHub that this relay knows.`, {
        hint: 'Name it in SANDPIPER_GITHUB_HOSTS.',
      });
    }
    return known;
  }

  async api(repository: ForgeRepository, token: string): Promise<GithubApi> {
    checkToken(token);
    const { Octokit: Client } = await import('@octokit/rest');
    const octokit = new Client({
      auth: token,
      baseUrl: this.hostOf(repository).apiUrl,
      userAgent: `sandpiper/${VERSION}`,
      log: SILENT,
      request: { fetch: this.fetchInTime },
    });
    octokit.hook.before('request', options => {
      options.headers['x-github-api-version'] = API_VERSION;
    });
    return new GithubApi(octokit, repository, token);
  }

  readonly fetchInTime: typeof fetch = (input, init) =>
    this.#fetch(input, { ...init, signal: AbortSignal.timeout(this.#timeoutMs) });
}

/** Requests about one repository with one token. */
export class GithubApi {
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

/** What cannot stand in a header would be quoted by the error of whoever tries. */
export function checkToken(token: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SandpiperError('forge_unauthorized', 'The GitHub token has characters that no token has, or is empty.', {
      hint: 'Copy it again, without spaces and line ends.',
    });
  }
}
