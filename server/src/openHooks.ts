import { toSandpiperError } from '../../protocol/errors.ts';
import { VERSION, type Config } from './core/config.ts';
import { callHandler, type RelayHandlers } from './core/dispatch.ts';
import { colleagueOf } from './forges/colleagueOf.ts';
import { createGiteaColleague } from './forges/gitea/giteaColleague.ts';
import { createGithubColleague } from './forges/github/githubColleague.ts';
import { createGitlabColleague } from './forges/gitlab/gitlabColleague.ts';
import type { Call, HookCall } from './hooks/context.ts';
import { Hooks } from './hooks/hooks.ts';
import { openTending, tendingHandlers } from './openTending.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { Idempotency } from './sessions/idempotency.ts';
import type { Sessions } from './sessions/sessions.ts';
import { toldOf } from './tending/told.ts';

/** What a relay has to do with forges besides landing. */
interface OpenHooks {
  doors: Hooks['doors'];
  handlers: Hooks['handlers'] & ReturnType<typeof tendingHandlers>;
  /** Takes up what an earlier relay left. */
  start(): void;
  readonly busy: boolean;
}

/** Webhooks come in like any client: what they begin goes through the same calls. */
export async function openHooks(
  {
    config,
    token,
    dependencies,
    sessions,
    calls,
  }: {
    config: Config;
    token: string;
    dependencies: Dependencies;
    sessions: Sessions;
    calls: Pick<RelayHandlers, HookCall>;
  },
  onClose: (cleanup: () => Promise<void>) => void,
): Promise<OpenHooks> {
  const { store, log, forges, secrets } = dependencies;
  const context = {
    client: { name: 'webhooks', version: VERSION },
    connection: 'webhooks',
    principal: 'owner',
  } as const;
  const colleague = colleagueOf({
    github: createGithubColleague({ hosts: config.githubHosts }),
    gitea: createGiteaColleague({ hosts: config.gitea.hosts }),
    gitlab: createGitlabColleague({ hosts: config.gitlab.hosts }),
  });
  const call: Call = (name, params) => callHandler(calls, name, params, context);
  const tending = openTending(config, dependencies, sessions, onClose);
  const hooks = await Hooks.open({
    dataFolder: config.dataFolder,
    config: config.hooks,
    store,
    idempotency: new Idempotency(store),
    log,
    call,
    forges,
    colleague,
    forgeToken: repository => dependencies.forgeToken(repository, 'talk'),
    relayToken: token,
    onTold: payload => {
      const told = toldOf(payload);
      if (told) {
        tending.told(told);
      }
    },
    lookAt: (sessionId, pull) =>
      tending.look(sessionId, pull).catch((error: unknown) => {
        const { retryable, message } = toSandpiperError(error);
        if (retryable) {
          throw error;
        }
        // What a token may not read is no reason to leave the rest undone.
        log.log('warn', 'tending', `The pull request could not be looked at: ${message}`, { sessionId });
      }),
    onSecret: (forge, secret) => secrets.hold(`webhooks ${forge}`, 'secret of webhooks', secret),
  });
  const following = sessions.followSummaries(summary => hooks.sessionChanged(summary));
  onClose(async () => {
    following.dispose();
    await hooks.close();
  });
  return {
    doors: hooks.doors,
    handlers: { ...hooks.handlers, ...tendingHandlers(dependencies, { sessions, tending, colleague, call }) },
    start: () => {
      hooks.start();
      tending.start();
    },
    get busy() {
      return hooks.busy;
    },
  };
}
