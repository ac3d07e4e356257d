/**
 * The account provider of the editor whose token belongs to the host of a remote; undefined when there is none.
 * @param enterpriseUri the server that the editor's GitHub Enterprise account is for; its token must go nowhere else
 */
export function accountProvider(
  remoteUrl: string | undefined,
  enterpriseUri: string,
): 'github' | 'github-enterprise' | undefined {
  const host = hostOf(remoteUrl ?? '');
  if (host === undefined) {
    return undefined;
  }
  if (host === 'github.com' || host === 'ssh.github.com') {
    return 'github';
  }
  return host === hostOf(enterpriseUri) ? 'github-enterprise' : undefined;
}

/** The host of a remote in small letters, without its port; undefined for what is no remote. */
export function hostOf(remoteUrl: string): string | undefined {
  if (URL.canParse(remoteUrl)) {
    return new URL(remoteUrl).hostname.toLowerCase() || undefined;
  }
  // The short form of SSH: user@host:path
  return /^(?:[^@/\s]+@)?([a-z0-9.-]+):(?!\/\/)/i.exec(remoteUrl)?.[1]?.toLowerCase();
}
