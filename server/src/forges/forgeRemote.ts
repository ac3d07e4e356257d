import { SandpiperError } from '../../../protocol/errors.ts';
import type { ForgeHost } from '../core/forgeConfig.ts';
import { parseRemoteAddress } from '../core/remoteAddress.ts';

/** Owner and name of a repository on a host. */
export interface RemotePlace {
  host: string;
  owner: string;
  name: string;
}

export interface RemoteRules {
  /** Where the API is, below the address of the web pages. */
  apiPath: string;
  /** Whether an owner may be a path. */
  nested: boolean;
  /** Other names under which remotes reach a host. */
  aliases?: Readonly<Record<string, string>>;
}

const PART = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

/** The hosts of one kind of forge. */
export class ForgeRemotes {
  readonly #hosts: ReadonlyMap<string, ForgeHost>;
  readonly #rules: RemoteRules;

  constructor(hosts: readonly ForgeHost[], rules: RemoteRules) {
    this.#hosts = new Map(hosts.map(host => [host.host, host]));
    this.#rules = rules;
  }

  /**
   * The repository behind a remote URL, or undefined. Plain http is taken only from a host that was configured with an http
   * address of its own: a token must not go over an open line by accident.
   */
  match(remoteUrl: string): RemotePlace | undefined {
    const address = parseRemoteAddress(remoteUrl);
    const known = address && this.#hosts.get(this.#rules.aliases?.[address.host] ?? address.host);
    if (!address || !known || (address.protocol === 'http:' && !isPlainHttp(known))) {
      return undefined;
    }
    const path = this.#belowPages(address.path, known, address.protocol === 'ssh:');
    const parts = (path ?? '').replace(/^\/+|\/+$/g, '').split('/');
    const name = parts.at(-1)?.replace(/\.git$/, '') ?? '';
    const owners = parts.slice(0, -1);
    const isRepository =
      (this.#rules.nested ? owners.length >= 1 : owners.length === 1) &&
      [...owners, name].every(part => PART.test(part) && !/^\.+$/.test(part));
    return isRepository ? { host: known.host, owner: owners.join('/'), name } : undefined;
  }

  /** @throws `no_forge` */
  hostOf({ host }: Pick<RemotePlace, 'host'>, variable: string): ForgeHost {
    const known = this.#hosts.get(host);
    if (!known) {
      throw new SandpiperError('no_forge', `${host} is not a forge that this relay knows.`, {
        hint: `Name it in ${variable}.`,
      });
    }
    return known;
  }

  /** The https (or configured http) address for git, without credentials. */
  gitUrl(host: ForgeHost, { owner, name }: RemotePlace): string {
    return `${isPlainHttp(host) ? 'http' : 'https'}://${host.host}${this.#pagesPath(host)}/${owner}/${name}.git`;
  }

  /** A forge may live below a path of its host; ssh knows nothing of that. */
  #belowPages(path: string, host: ForgeHost, isSsh: boolean): string | undefined {
    const pages = this.#pagesPath(host);
    if (pages === '' || isSsh) {
      return path;
    }
    return path.startsWith(`${pages}/`) ? path.slice(pages.length) : undefined;
  }

  #pagesPath({ host, apiUrl }: ForgeHost): string {
    const api = new URL(apiUrl);
    const { apiPath } = this.#rules;
    // An API on another host says nothing about where the pages are.
    return api.host === host && api.pathname.endsWith(apiPath) ? api.pathname.slice(0, -apiPath.length) : '';
  }
}

function isPlainHttp({ apiUrl }: ForgeHost): boolean {
  return apiUrl.startsWith('http://');
}
