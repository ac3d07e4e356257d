/** A GitHub App as which the relay works. */
export interface GithubAppConfig {
  /** Its number, or its client id. */
  id: string;
  /** The .pem file that GitHub gave for it. */
  keyFile: string;
  host: string;
}

/** @param problems gets a sentence for everything that is wrong */
export function readGithubAppConfig(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): GithubAppConfig | undefined {
  const id = env['SANDPIPER_GITHUB_APP_ID'];
  const keyFile = env['SANDPIPER_GITHUB_APP_KEY_FILE'];
  if (id === undefined && keyFile === undefined) {
    return undefined;
  }
  if (id === undefined || keyFile === undefined) {
    problems.push('SANDPIPER_GITHUB_APP_ID and SANDPIPER_GITHUB_APP_KEY_FILE are needed both');
    return undefined;
  }
  if (!/^\w+$/.test(id)) {
    problems.push(`SANDPIPER_GITHUB_APP_ID must be the number or the client id of the App, not "${id}"`);
  }
  return { id, keyFile, host: (env['SANDPIPER_GITHUB_APP_HOST'] ?? 'github.com').toLowerCase() };
}

/** @param problems gets a sentence when it cannot be one */
export function readGithubClientId(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const id = env['SANDPIPER_GITHUB_CLIENT_ID'];
  if (id !== undefined && !/^[\w.-]{1,100}$/.test(id)) {
    problems.push(`SANDPIPER_GITHUB_CLIENT_ID must be the client id of an App, not "${id}"`);
  }
  return id;
}
