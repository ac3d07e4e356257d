import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { VERSION, type Config } from './core/config.ts';
import { callHandler, type RelayHandlers } from './core/dispatch.ts';
import { createGithubColleague } from './forges/github/githubColleague.ts';
import type { Call, HookCall } from './hooks/context.ts';
import { Hooks } from './hooks/hooks.ts';
import { openTending, tendingHandlers } from './openTending.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { Idempotency } from './sessions/idempotency.ts';
import type { Sessions } from './sessions/sessions.ts';
import { toldOf } from './tending/told.ts';

/** What a relay has to do with forges besides landing. */
interface OpenHooks {
  deliveries: Hooks['deliveries'];
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
  const forge = forges.find(({ id }) => id === 'github');
  if (!forge) {
    throw new SandpiperError('internal', 'This relay has no GitHub.');
  }
  const context = {
    client: { name: 'webhooks', version: VERSION },
    connection: 'webhooks',
    principal: 'owner',
  } as const;
  const colleague = createGithubColleague({ hosts: config.githubHosts });
  const call: Call = (name, params) => callHandler(calls, name, params, context);
  const tending = openTending(config, dependencies, sessions, onClose);
  const hooks = await Hooks.open({
    dataFolder: config.dataFolder,
    config: config.hooks,
    store,
    idempotency: new Idempotency(store),
    log,
    call,
    forge,
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
    onSecret: secret => secrets.hold('webhooks', 'secret of webhooks', secret),
  });
  const following = sessions.followSummaries(summary => hooks.sessionChanged(summary));
  onClose(async () => {
    following.dispose();
    await hooks.close();
  });
  return {
    deliveries: hooks.deliveries,
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
