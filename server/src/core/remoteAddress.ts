/** Where a remote URL leads. */
export interface RemoteAddress {
  protocol: 'https:' | 'http:' | 'ssh:';
  /** In small letters; with the port where it says something about the web address, too. */
  host: string;
  path: string;
}

const SCP_FORM = /^(?:[^@/\s]+@)?([A-Za-z0-9.-]+):\/?([^\s]+)$/;

/** Reads a remote URL in one of the forms https, http, ssh and scp; undefined for everything else. */
export function parseRemoteAddress(remoteUrl: string): RemoteAddress | undefined {
  const text = remoteUrl.trim();
  if (URL.canParse(text) && text.includes('://')) {
    const { protocol, host, hostname, pathname } = new URL(text);
    switch (protocol) {
      case 'https:':
      case 'http:':
        return { protocol, host: host.toLowerCase(), path: pathname };
      case 'ssh:':
      case 'git+ssh:':
      case 'ssh+git:':
        // The port is that of SSH and says nothing about where the API is.
        return { protocol: 'ssh:', host: hostname.toLowerCase(), path: pathname };
      default:
        return undefined;
    }
  }
  const [, host, path] = SCP_FORM.exec(text) ?? [];
  return host === undefined || path === undefined ? undefined : { protocol: 'ssh:', host: host.toLowerCase(), path };
}
