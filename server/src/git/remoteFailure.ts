/** Why a remote did not do what was asked. */
export interface RemoteFailure {
  kind: 'unauthorized' | 'unreachable' | 'stale' | 'refused' | 'secret';
  /** For a person; of the forge's own words where it said any. */
  reason: string;
  hint: string;
}

type Rule = [pattern: RegExp, kind: RemoteFailure['kind'], hint: string];

/** First match counts. What a forge refuses comes first: its text may contain any other word. */
const RULES: Rule[] = [
  [
    /\(stale info\)|\(fetch first\)|\(non-fast-forward\)/,
    'stale',
    'The branch moved on the forge. Look at it, then try again.',
  ],
  [
    /push cannot contain secrets|GH013[^]*secret|secret(s)? detected/i,
    'secret',
    'Take the secret out of the change and revoke it: it has been sent to the forge.',
  ],
  [
    /without `?workflows?`? (scope|permission)|create or update workflow/i,
    'refused',
    'Use a token that may change workflows, or leave .github/workflows alone.',
  ],
  [/GH006|protected branch/i, 'refused', 'Choose another branch: this one is protected.'],
  [/GH001|exceeds .*file size limit|large files detected/i, 'refused', 'Take the large file out of the change.'],
  [
    /\[remote rejected\]|pre-receive hook declined|GH0\d\d:|shallow update not allowed/i,
    'refused',
    'See what the forge says.',
  ],
  [
    /authentication failed|could not read (username|password)|returned error: 40[13]|permission denied|access denied|invalid credentials/i,
    'unauthorized',
    'Use a token that may do this: sign in to the forge in VS Code, to GitHub also with `sandpiper login`, or set SANDPIPER_GITHUB_TOKEN, SANDPIPER_GITEA_TOKEN or SANDPIPER_GITLAB_TOKEN for the relay.',
  ],
  [
    /repository .*not found|returned error: 404|does not appear to be a git repository|repository does not exist/i,
    'unauthorized',
    'Check the address. A private repository also looks like this to a token that may not see it.',
  ],
  [
    /unable to update url base from redirection|returned error: 3\d\d|redirect/i,
    'unauthorized',
    'The repository moved: use its new address.',
  ],
  [/host key verification failed/i, 'unreachable', 'Connect once with ssh yourself to accept the host key.'],
];

/** Reads what git printed when a remote failed. Pure. */
export function remoteFailure(stderr: string): RemoteFailure {
  const rule = RULES.find(([pattern]) => pattern.test(stderr));
  const [, kind, hint] = rule ?? [undefined, 'unreachable' as const, 'Check the network, then try again.'];
  return { kind, reason: remoteReason(stderr), hint };
}

function remoteReason(stderr: string): string {
  const lines = stderr.split('\n').map(line => line.trim());
  const said = lines
    .filter(line => /^remote: \s*\S/.test(line))
    .map(line => line.replace(/^remote:\s*(error:\s*)?/, ''))
    .filter(line => !/^(Resolving deltas|Counting|Compressing|Total|Enumerating|Processing)/.test(line));
  const rejected = lines.flatMap(line => /\[(?:remote )?rejected\].*\((.+)\)$/.exec(line)?.[1] ?? []);
  const fatal = lines.filter(line => /^(fatal|error): /.test(line)).map(line => line.replace(/^(fatal|error): /, ''));
  const words = [...said, ...(rejected.length > 0 ? rejected : fatal)];
  return (words.length > 0 ? words.join(' ') : stderr.trim() || 'no reason was given').slice(0, 800);
}
