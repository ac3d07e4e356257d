import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandpiperError } from '../../../protocol/errors.ts';

/** Where a repository is: a folder of this machine, or a URL that git can fetch from. */
export type Source = { kind: 'path'; path: string } | { kind: 'url'; url: string; protocol: RemoteProtocol };

/** What git may speak. `file` is for tests that push to a folder. */
export type RemoteProtocol = 'https' | 'http' | 'ssh' | 'file';

/**
 * Reads what a person typed. URLs lose their credentials.
 * @throws `not_a_repository` when it is neither an absolute path nor a URL that is allowed
 */
export function parseSource(text: string): Source {
  if (text.startsWith('file://')) {
    return { kind: 'path', path: pathOfUrl(text) };
  }
  if (isAbsolute(text) && !text.includes('\0')) {
    return { kind: 'path', path: text };
  }
  const protocol = remoteProtocol(text);
  if (protocol === undefined) {
    throw new SandpiperError(
      'not_a_repository',
      `"${stripCredentials(text).slice(0, 200)}" is not a repository that Sandpiper can read.`,
      {
        hint: 'Give the absolute path of a folder, or an https or ssh URL. Plain http works on this machine only.',
      },
    );
  }
  return { kind: 'url', url: stripCredentials(text), protocol };
}

/** The protocol of a remote's URL, or undefined when git must not be let near it. */
export function remoteProtocol(url: string): RemoteProtocol | undefined {
  if (hasControlCharacter(url)) {
    return undefined;
  }
  if (/^[\w.-]+@[a-z0-9][\w.-]*:(?!\/\/)[^-]/i.test(url)) {
    return url.startsWith('-') ? undefined : 'ssh';
  }
  if (!URL.canParse(url) || !url.includes('://')) {
    return undefined;
  }
  const { protocol, hostname, username } = new URL(url);
  // ssh would take a host or user that starts with a dash as an option.
  if (hostname === '' || hostname.startsWith('-') || decodeURIComponent(username).startsWith('-')) {
    return undefined;
  }
  switch (protocol) {
    case 'https:':
      return 'https';
    case 'http:':
      return isLoopback(hostname) ? 'http' : undefined;
    case 'ssh:':
      return 'ssh';
    default:
      return undefined;
  }
}

/** A URL without user and password; ssh keeps its user, which is part of the address. Anything else is unchanged. */
export function stripCredentials(url: string): string {
  if (!URL.canParse(url) || !url.includes('://')) {
    return url;
  }
  const parsed = new URL(url);
  parsed.password = '';
  if (parsed.protocol !== 'ssh:') {
    parsed.username = '';
  }
  parsed.hash = '';
  return parsed.href;
}

/** User and password of an http(s) URL as `user:password`, or undefined when it has none. */
export function userInfoOf(url: string): string | undefined {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) {
    return undefined;
  }
  const { username, password } = new URL(url);
  return username === '' && password === '' ? undefined : `${decode(username)}:${decode(password)}`;
}

/** The same for every way to write one repository's URL. */
export function canonicalUrl(url: string): string {
  return stripCredentials(url)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

/** Stable within one relay; only letters and digits, because it names a folder. */
export function repositoryId(canonicalSource: string): string {
  return `repo_${createHash('sha256').update(canonicalSource).digest('hex').slice(0, 26)}`;
}

/** Last part of a path or URL, for lists. */
export function repositoryName(source: string): string {
  const parts = source.split(/[/\\:]/).filter(part => part !== '' && part !== '.git');
  return parts.at(-1)?.replace(/\.git$/, '') ?? 'repository';
}

/** A percent sign that begins no code stands for itself, as git has it. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function hasControlCharacter(text: string): boolean {
  return /[\p{Cc} ]/u.test(text);
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new SandpiperError('not_a_repository', `"${url.slice(0, 200)}" does not name a folder of this machine.`, {
      hint: 'Give the absolute path of the folder.',
    });
  }
}
