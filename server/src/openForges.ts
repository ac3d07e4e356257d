import type { Config } from './core/config.ts';
import { tokenForHost } from './core/forgeConfig.ts';
import type { Logger } from './core/log.ts';
import type { Ownership } from './core/ownership.ts';
import type { Forge } from './forges/forge.ts';
import { createGiteaForge } from './forges/gitea/giteaForge.ts';
import { GithubApp } from './forges/github/githubApp.ts';
import { createGithubForge } from './forges/github/githubForge.ts';
import { createGitlabForge } from './forges/gitlab/gitlabForge.ts';
import { openSignIns, type OpenSignIns } from './openSignIns.ts';
import type { Secrets } from './redaction/secrets.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { SourceAccess } from './sessions/sourceAccess.ts';
import type { Store } from './store/store.ts';

export interface OpenForges {
  forges: readonly Forge[];
  forgeToken: Dependencies['forgeToken'];
  sourceAccess: SourceAccess;
  signIns: OpenSignIns;
}

/** The forges of this relay, and whose tokens it has for them: of the App, else of its settings, else of who signed in. */
export async function openForges(
  config: Config,
  { store, ownership, secrets, log }: { store: Store; ownership: Ownership; secrets: Secrets; log: Logger },
): Promise<OpenForges> {
  const forges = [
    createGithubForge({ hosts: config.githubHosts }),
    createGiteaForge({ hosts: config.gitea.hosts }),
    createGitlabForge({ hosts: config.gitlab.hosts }),
  ];
  const githubApp =
    config.githubApp &&
    (await GithubApp.open({
      app: config.githubApp,
      hosts: config.githubHosts,
      onToken: (use, minted) => secrets.hold(`github app ${use}`, 'token of the GitHub App', minted),
    }));
  const signIns = await openSignIns(config, { store, ownership, secrets, log });
  const forgeToken: Dependencies['forgeToken'] = async (repository, purpose) =>
    (await githubApp?.tokenFor(repository, purpose)) ??
    tokenForHost(config, repository) ??
    signIns.tokenFor(repository);
  const sourceAccess = new SourceAccess({ forges, forgeToken: repository => forgeToken(repository, 'read') });
  return { forges, forgeToken, sourceAccess, signIns };
}
