import { calls, type CallHandlers } from '../../protocol/calls.ts';
import type { PullRequestDeed } from '../../protocol/landingCalls.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import type { CallContext } from './core/callContext.ts';
import type { PullRequest } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import type { Config } from './core/config.ts';
import type { Colleague } from './forges/colleague.ts';
import type { ForgeRepository } from './forges/forge.ts';
import { createGithubWatcher } from './forges/github/githubWatcher.ts';
import { callKey } from './hooks/begin.ts';
import { deedMessage } from './hooks/byHand.ts';
import { isOurs, type Call } from './hooks/context.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { Idempotency } from './sessions/idempotency.ts';
import type { Sessions } from './sessions/sessions.ts';
import { noToken, Tending } from './tending/tending.ts';

type TendingDependencies = Pick<Dependencies, 'store' | 'secrets' | 'forges'> & {
  forgeToken: (...of: Parameters<Dependencies['forgeToken']>) => ReturnType<Dependencies['forgeToken']>;
};

/** Keeps what sessions say of their pull requests true. */
export function openTending(
  config: Config,
  dependencies: Dependencies,
  sessions: Sessions,
  onClose: (cleanup: () => Promise<void>) => void,
): Tending {
  const { store, log, forges } = dependencies;
  const tending = new Tending({
    log,
    watcher: createGithubWatcher({ hosts: config.githubHosts, isOurs }),
    canWatch,
    pollMs: config.pullRequestPollMs,
    sessions: async () => (await store.activeSessions()).map(({ summary }) => summary),
    record: async (sessionId, decide) => {
      const session = await sessions.get(sessionId);
      await session.record(({ pullRequest }) => {
        const news = pullRequest && decide(pullRequest);
        return news && { events: [{ type: 'pullRequestChanged', pullRequest: news }] };
      });
    },
    place: async (pull, token) => {
      const repository = repositoryOf({ forges }, pull);
      const usable = repository && (token ?? (await dependencies.forgeToken(repository, 'watch')));
      return repository && usable !== undefined ? { repository, token: usable } : undefined;
    },
  });
  const following = sessions.followSummaries(summary => tending.sessionChanged(summary));
  onClose(async () => {
    following.dispose();
    await tending.close();
  });
  return tending;
}

/** The calls about a pull request that is there. */
export function tendingHandlers(
  { store, secrets, forges, forgeToken }: TendingDependencies,
  { sessions, tending, colleague, call }: { sessions: Sessions; tending: Tending; colleague: Colleague; call: Call },
): Pick<CallHandlers<CallContext>, 'pullRequest.look' | 'pullRequest.tend'> {
  const idempotency = new Idempotency(store);
  const send = async (
    sessionId: string,
    inner: string,
    { deed, key, token }: { deed: PullRequestDeed; key: string; token: string | undefined },
  ) => {
    const pull = pullOf((await sessions.get(sessionId)).log.state);
    if (!canWatch(pull)) {
      throw notRead(pull);
    }
    const repository = repositoryOf({ forges }, pull);
    const usable = repository && (token ?? (await forgeToken(repository, 'talk')));
    if (!repository || usable === undefined) {
      throw noToken(pull);
    }
    const { text, origin } = await deedMessage(colleague, { repository, token: usable }, { deed, key, pull });
    return call('session.send', { sessionId, key: inner, text, origin });
  };
  return {
    'pullRequest.look': async ({ sessionId, token }) => {
      secrets.holdBrought(token);
      const { log } = await sessions.get(sessionId);
      const pull = pullOf(log.state);
      await tending.look(sessionId, pull, token);
      return { pullRequest: log.state.pullRequest ?? pull };
    },
    'pullRequest.tend': params => {
      secrets.holdBrought(params.token);
      return idempotency.once('pullRequest.tend', params, async record => {
        const { sessionId, key, deed, token } = params;
        const inner = callKey(key, 'tend');
        // A kill may have come after the message: what the forge says since would make it another one.
        const earlier = await store.findCall(inner);
        const { messageId, seq } = earlier
          ? calls['session.send'].result.parse(JSON.parse(earlier.result))
          : await send(sessionId, inner, { deed, key, token });
        const result = { messageId, seq };
        await store.recordCall(record(result));
        return result;
      });
    },
  };
}

/** Checks and reviews are read on one kind of forge. */
function canWatch({ forge }: Pick<PullRequest, 'forge'>): boolean {
  return forge === 'github';
}

function notRead({ url }: PullRequest): SandpiperError {
  return new SandpiperError('no_forge', `Checks and reviews are read on GitHub only, and ${url} is elsewhere.`, {
    hint: 'Send the agent a message that says what is to be done.',
  });
}

function pullOf({ pullRequest }: Pick<SessionState, 'pullRequest'>): PullRequest {
  if (!pullRequest) {
    throw new SandpiperError('not_found', 'This session has no pull request yet.', {
      hint: 'Create one with `sandpiper pr <session>`.',
    });
  }
  return pullRequest;
}

function repositoryOf({ forges }: Pick<Dependencies, 'forges'>, { url }: PullRequest): ForgeRepository | undefined {
  const [page = ''] = /^https?:\/\/[^/]+\/[^/]+\/[^/]+/.exec(url) ?? [];
  return forges.map(forge => forge.match(page)).find(found => found !== undefined);
}
