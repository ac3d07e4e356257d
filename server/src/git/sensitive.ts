/**
 * Files that run on a developer's machine, or with the forge's secrets, without anybody choosing to run them: when a folder
 * is opened or entered, packages are installed, a commit or push is made, or CI starts. What only runs when a person says
 * so (a Makefile, any source file) is not among them: then everything would be.
 */
const RULES: [pattern: RegExp, reason: string][] = [
  [
    /(^|\/)\.vscode\/|\.code-workspace$/,
    'VS Code reads it when the folder is opened: settings and tasks can run programs',
  ],
  [/(^|\/)(\.idea|\.fleet|\.zed|\.vs)\//, 'An editor reads it when the folder is opened'],
  [/(^|\/)(\.devcontainer\/|\.devcontainer\.json$)/, 'It runs when the folder is opened in a container'],
  [/(^|\/)(\.envrc|mise\.toml|\.mise\.toml|\.mise\/.*)$/, 'It can run when a shell enters the folder'],
  [
    /(^|\/)(\.husky|\.githooks|\.git-hooks|githooks)\/|(^|\/)hooks\/(pre|post|prepare|applypatch|commit)-[a-z-]+$/,
    'It can run as a git hook',
  ],
  [
    /(^|\/)\.?lefthook([.-].*)?\.(ya?ml|toml|json)$|(^|\/)\.pre-commit-config\.ya?ml$/,
    'It says what runs as a git hook',
  ],
  [/(^|\/)\.(simple-git-hooks|lintstagedrc|huskyrc)(\.|$)/, 'It says what runs as a git hook'],
  [/(^|\/)\.gitattributes$/, 'It decides which programs git runs on files'],
  [/(^|\/)\.gitmodules$/, 'It names other repositories that are fetched'],
  [/(^|\/)\.gitconfig$/, 'It configures git'],
  [
    /^\.(github|gitea|forgejo)\/(workflows|actions)\/|(^|\/)action\.ya?ml$|^\.github\/dependabot\.ya?ml$/,
    'It runs in CI, where the secrets of the repository are',
  ],
  [
    /^(\.gitlab-ci\.ya?ml|\.travis\.ya?ml|\.drone\.ya?ml|\.woodpecker\.ya?ml|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|jenkinsfile|appveyor\.ya?ml|\.appveyor\.ya?ml|cloudbuild\.ya?ml)$/,
    'It runs in CI, where the secrets of the repository are',
  ],
  [
    /^\.(gitlab|circleci|buildkite|woodpecker|semaphore|teamcity)\//,
    'It runs in CI, where the secrets of the repository are',
  ],
  [
    /(^|\/)(\.npmrc|\.yarnrc(\.ya?ml)?|\.pnpmfile\.c?js|\.pnp\.c?js|\.yarn\/(releases|plugins)\/.*)$/,
    'It runs or redirects package installation',
  ],
  [
    /(^|\/)(\.cargo\/config(\.toml)?|build\.rs|\.pypirc|pip\.conf)$/,
    'It runs or redirects package installation or builds',
  ],
  [
    /(^|\/)(\.claude\/|\.mcp\.json$|\.claude\.json$)/,
    'Claude Code reads it when it starts here: hooks and servers can run programs',
  ],
  [/^\.sandpiper\//, 'It says what of an agent’s work may land'],
  [/(^|\/)(\.cursor|\.windsurf|\.gemini|\.codex|\.continue)\//, 'A coding agent reads it when it starts here'],
];

/** Keys of package.json whose commands run by themselves: on install, on commit, on publish. */
const PACKAGE_KEYS = ['scripts', 'husky', 'simple-git-hooks', 'gitHooks', 'pre-commit', 'pre-push', 'lint-staged'];

/** Why a path is sensitive whatever is in it, or undefined. File systems may ignore case, so this does. */
export function sensitivePath(path: string): string | undefined {
  const plain = path.toLowerCase();
  return RULES.find(([pattern]) => pattern.test(plain))?.[1];
}

export function isPackageManifest(path: string): boolean {
  return /(^|\/)package\.json$/i.test(path);
}

/** Why a change of a package.json is sensitive, or undefined. `undefined` content means that the file is not there. */
export function sensitiveManifest(before: string | undefined, after: string | undefined): string | undefined {
  if (after === undefined) {
    return undefined;
  }
  const one = commandsOf(before ?? '{}');
  const other = commandsOf(after);
  if (other === undefined) {
    return 'It is a package.json that cannot be read, so its scripts are unknown';
  }
  return one === other ? undefined : 'Its scripts or hooks changed; package managers run them';
}

function commandsOf(text: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(text);
    if (typeof manifest !== 'object' || manifest === null) {
      return undefined;
    }
    const entries = Object.entries(manifest).filter(([key]) => PACKAGE_KEYS.includes(key));
    return JSON.stringify(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
  } catch {
    return undefined;
  }
}
