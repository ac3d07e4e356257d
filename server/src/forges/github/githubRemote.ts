import { parseRemoteAddress } from '../../core/remoteAddress.ts';

/** One GitHub: github.com, or an Enterprise Server of the user's choice. */
export interface GithubHost {
  /** As in a remote URL, with its port where that is not the usual one. */
  host: string;
  apiUrl: string;
}

const GITHUB_COM: GithubHost = { host: 'github.com', apiUrl: 'https://api.github.com' };

/** Other names under which remotes reach github.com (`ssh.github.com` is its SSH on the HTTPS port). */
const ALIASES: Readonly<Record<string, string>> = { 'www.github.com': 'github.com', 'ssh.github.com': 'github.com' };

const OWNER = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const NAME = /^[A-Za-z0-9._-]+$/;

/** The hosts that are GitHub; github.com is always among them and cannot be given another address. */
export function githubHosts(configured: readonly GithubHost[]): ReadonlyMap<string, GithubHost> {
  return new Map(
    [...configured, GITHUB_COM].map(({ host, apiUrl }) => [
      host.toLowerCase(),
      { host: host.toLowerCase(), apiUrl: apiUrl.replace(/\/+$/, '') },
    ]),
  );
}

/**
 * The GitHub repository behind a remote URL, or undefined. Plain http is taken only from a host that was configured
 * with an http address of its own: a token must not go over an open line by accident.
 */
export function matchGithubRemote(
  remoteUrl: string,
  hosts: ReadonlyMap<string, GithubHost>,
): { host: string; owner: string; name: string } | undefined {
  const place = parseRemoteAddress(remoteUrl);
  const known = place && hosts.get(ALIASES[place.host] ?? place.host);
  if (!place || !known || (place.protocol === 'http:' && !isPlainHttp(known))) {
    return undefined;
  }
  const [owner = '', name = '', ...more] = place.path.replace(/^\/+|\/+$/g, '').split('/');
  const plainName = name.replace(/\.git$/, '');
  const isRepository = more.length === 0 && OWNER.test(owner) && NAME.test(plainName) && !/^\.+$/.test(plainName);
  return isRepository ? { host: known.host, owner, name: plainName } : undefined;
}

/** The https (or configured http) address for git, without credentials. */
export function gitUrl(host: GithubHost, owner: string, name: string): string {
  return `${webUrl(host)}/${owner}/${name}.git`;
}

/** Where people see it in a browser. */
export function webUrl(host: GithubHost): string {
  return `${isPlainHttp(host) ? 'http' : 'https'}://${host.host}`;
}

function isPlainHttp(host: GithubHost): boolean {
  return host.apiUrl.startsWith('http://');
}
