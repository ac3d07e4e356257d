import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import { VERSION } from '../../core/config.ts';
import type { GithubAppConfig } from '../../core/githubAppConfig.ts';
import type { ForgeRepository, TokenPurpose } from '../forge.ts';
import { GithubApi, GithubClients, SILENT, type GithubForgeOptions } from './githubClients.ts';
import type { GithubFailure } from './githubErrors.ts';

export interface GithubAppOptions extends GithubForgeOptions {
  app: GithubAppConfig;
  /** Hears of every token, which must stand in no log. @param use the newest token of one use is all that is needed of it */
  onToken: (use: string, token: string) => void;
}

/** What a token may, and no more. */
const PERMISSIONS: Readonly<Record<TokenPurpose, Readonly<Record<string, 'read' | 'write'>>>> = {
  read: { contents: 'read' },
  land: { contents: 'write', pull_requests: 'write' },
  watch: { contents: 'read', pull_requests: 'read', checks: 'read' },
  talk: { issues: 'write', pull_requests: 'write', checks: 'read', actions: 'read' },
};

const installationSchema = z.object({ id: z.int() });
const tokenSchema = z.object({ token: z.string().min(1) });

/**
 * A GitHub App as which this relay works. Its key makes a token for every operation, for one repository and one purpose; no
 * token is kept, so that one that was taken back is never used.
 */
export class GithubApp {
  readonly #options: GithubAppOptions;
  readonly #clients: GithubClients;
  readonly #privateKey: string;
  readonly #minting = new Map<string, Promise<string>>();

  private constructor(options: GithubAppOptions, privateKey: string) {
    this.#options = options;
    this.#clients = new GithubClients(options);
    this.#privateKey = privateKey;
  }

  /** @throws `invalid_params` when the key cannot be read */
  static async open(options: GithubAppOptions): Promise<GithubApp> {
    const { keyFile } = options.app;
    const privateKey = await readFile(keyFile, 'utf8').catch((error: unknown) => {
      throw unusableKey(keyFile, toError(error).message);
    });
    if (!/-----BEGIN (RSA )?PRIVATE KEY-----/.test(privateKey)) {
      throw unusableKey(keyFile, 'it is no private key');
    }
    return new GithubApp(options, privateKey);
  }

  /**
   * A token for a repository on the App's host; undefined for another one.
   * @throws `forge_unauthorized` when the App is not installed there, may not do this, or is not accepted; `forge_unreachable`
   */
  async tokenFor(repository: ForgeRepository, purpose: TokenPurpose): Promise<string | undefined> {
    if (repository.host !== this.#options.app.host) {
      return undefined;
    }
    const key = `${repository.owner}/${repository.name} ${purpose}`.toLowerCase();
    // What is asked for at the same moment is one operation.
    const minting =
      this.#minting.get(key) ?? this.#mint(key, repository, purpose).finally(() => this.#minting.delete(key));
    this.#minting.set(key, minting);
    return minting;
  }

  async #mint(key: string, repository: ForgeRepository, purpose: TokenPurpose): Promise<string> {
    const api = await this.#api(repository);
    const found = await api.attempt(octokit => octokit.rest.apps.getRepoInstallation(api.place));
    if ('failure' in found) {
      throw notInstalled(found.failure, repository) ?? api.error(found.failure, 'find the installation of the App');
    }
    const { id } = installationSchema.parse(found.data);
    const made = await api.attempt(octokit =>
      octokit.rest.apps.createInstallationAccessToken({
        installation_id: id,
        repositories: [repository.name],
        permissions: PERMISSIONS[purpose],
      }),
    );
    if ('failure' in made) {
      throw notAllowed(made.failure, purpose) ?? api.error(made.failure, 'make a token of the App');
    }
    const { token } = tokenSchema.parse(made.data);
    this.#options.onToken(key, token);
    return token;
  }

  async #api(repository: ForgeRepository): Promise<GithubApi> {
    const [{ Octokit }, { createAppAuth }] = await Promise.all([import('@octokit/rest'), import('@octokit/auth-app')]);
    const octokit = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: this.#options.app.id, privateKey: this.#privateKey, log: SILENT },
      baseUrl: this.#clients.hostOf(repository).apiUrl,
      userAgent: `sandpiper/${VERSION}`,
      log: SILENT,
      request: { fetch: this.#clients.fetchInTime },
    });
    return new GithubApi(octokit, repository, this.#privateKey);
  }
}

function unusableKey(file: string, why: string): SandpiperError {
  return new SandpiperError('invalid_params', `The key of the GitHub App, ${file}, cannot be used: ${why}.`, {
    hint: 'SANDPIPER_GITHUB_APP_KEY_FILE must name the .pem file that GitHub gave you for the App.',
  });
}

function notInstalled({ status }: GithubFailure, { owner, name }: ForgeRepository): SandpiperError | undefined {
  switch (status) {
    case 404:
      return new SandpiperError('forge_unauthorized', `The GitHub App is not installed on ${owner}/${name}.`, {
        hint: 'Install it there: on GitHub, in the settings of the App, Install App.',
      });
    case 401:
      return new SandpiperError('forge_unauthorized', 'GitHub does not accept the key of the App.', {
        hint: 'Check SANDPIPER_GITHUB_APP_ID, the key file and the clock of this machine.',
      });
    default:
      return undefined;
  }
}

function notAllowed({ status, reason }: GithubFailure, purpose: TokenPurpose): SandpiperError | undefined {
  if (status !== 403 && status !== 422) {
    return undefined;
  }
  const needed = Object.entries(PERMISSIONS[purpose]).map(([name, level]) => `${name.replaceAll('_', ' ')}: ${level}`);
  return new SandpiperError('forge_unauthorized', `The GitHub App may not do this: ${reason}.`, {
    hint: `It needs ${needed.join(', ')}. Give it these permissions, and accept them where it is installed.`,
  });
}
