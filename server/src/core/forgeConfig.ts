import type { Config } from './config.ts';
import { parseRemoteAddress } from './remoteAddress.ts';

/** A host of a forge, and where its API is. */
export interface ForgeHost {
  /** As in a remote URL, with its port where that is not the usual one. */
  host: string;
  apiUrl: string;
}

/** A kind of forge of which there are many hosts. */
export interface ForgeConfig {
  /** Those that are known by themselves are among them and cannot be given another address. */
  hosts: ForgeHost[];
  /** By host: a token goes nowhere but to the host that it is for. */
  tokens: ReadonlyMap<string, string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Kind {
  prefix: string;
  apiPath: string;
  /** Known by themselves; the first one is where a token is for that names no host, where no host was set. */
  known: readonly [string, ...string[]];
}

const GITHUB_COM = ['github.com', 'www.github.com', 'ssh.github.com'];
const GITEA: Kind = { prefix: 'SANDPIPER_GITEA', apiPath: '/api/v1', known: ['codeberg.org', 'gitea.com'] };
const GITLAB: Kind = { prefix: 'SANDPIPER_GITLAB', apiPath: '/api/v4', known: ['gitlab.com'] };

/** Adds what is wrong to `problems`. */
export function readForges(env: Environment, problems: string[]): { gitea: ForgeConfig; gitlab: ForgeConfig } {
  return { gitea: forgeOf(GITEA, env, problems), gitlab: forgeOf(GITLAB, env, problems) };
}

/** Hosts that a variable names, as `host` or `host=apiUrl`, separated by commas. */
export function readForgeHosts(env: Environment, name: string, apiPath: string, problems: string[]): ForgeHost[] {
  const entries = (env[name] ?? '').split(',').filter(entry => entry.trim() !== '');
  return entries.map(entry => {
    const [host = '', apiUrl] = entry.trim().split('=', 2);
    if (!/^[a-z0-9.-]+(:\d+)?$/i.test(host) || (apiUrl !== undefined && !URL.canParse(apiUrl))) {
      problems.push(`${name} has an entry that is neither a host nor host=apiUrl: "${entry}"`);
    }
    return { host, apiUrl: apiUrl ?? `https://${host}${apiPath}` };
  });
}

/** The token that this configuration has for a repository's host. */
export function tokenForHost(
  { githubToken, gitea, gitlab }: Pick<Config, 'githubToken' | 'gitea' | 'gitlab'>,
  { forge, host }: { forge: string; host: string },
): string | undefined {
  switch (forge) {
    case 'github':
      return githubToken;
    case 'gitea':
      return gitea.tokens.get(host);
    case 'gitlab':
      return gitlab.tokens.get(host);
    default:
      return undefined;
  }
}

/** The token that this configuration has for a remote; undefined for a host that it does not know. */
export function tokenForRemote(
  config: Pick<Config, 'githubToken' | 'githubHosts' | 'gitea' | 'gitlab'>,
  remoteUrl: string | undefined,
): string | undefined {
  const host = parseRemoteAddress(remoteUrl ?? '')?.host;
  if (host === undefined) {
    return undefined;
  }
  const isGithub = GITHUB_COM.includes(host) || config.githubHosts.some(known => known.host.toLowerCase() === host);
  return isGithub ? config.githubToken : (config.gitea.tokens.get(host) ?? config.gitlab.tokens.get(host));
}

function forgeOf({ prefix, apiPath, known }: Kind, env: Environment, problems: string[]): ForgeConfig {
  const set = readForgeHosts(env, `${prefix}_HOSTS`, apiPath, problems).map(({ host, apiUrl }) => ({
    host: host.toLowerCase(),
    apiUrl: apiUrl.replace(/\/+$/, ''),
  }));
  const others = set.filter(({ host }) => !known.includes(host));
  return {
    hosts: [...others, ...known.map(host => ({ host, apiUrl: `https://${host}${apiPath}` }))],
    tokens: tokensOf(env[`${prefix}_TOKEN`] ?? '', set.length > 0 ? set.map(({ host }) => host) : [known[0]]),
  };
}

/** One token for the usual hosts, or `host=token` for others, separated by commas. */
function tokensOf(text: string, usual: readonly string[]): ReadonlyMap<string, string> {
  const tokens = new Map<string, string>();
  for (const entry of text.split(',').map(part => part.trim())) {
    const [, host, token] = /^([a-z0-9.-]+(?::\d+)?)=(.+)$/i.exec(entry) ?? [];
    if (host !== undefined && token !== undefined) {
      tokens.set(host.toLowerCase(), token);
    } else if (entry !== '') {
      for (const one of usual.filter(name => !tokens.has(name))) {
        tokens.set(one, entry);
      }
    }
  }
  return tokens;
}
