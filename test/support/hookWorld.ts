import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { CallParams } from '../../protocol/calls.ts';
import type { HookRequest } from '../../protocol/hookCalls.ts';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { eventually } from './eventually.ts';
import type { GithubEvent, GithubHooks } from './github/githubHooks.ts';
import type { GithubTalk } from './github/githubTalk.ts';
import { startGithubServer, type GithubServer } from './githubServer.ts';
import { deliver, WEBHOOK_SECRET, type Delivered } from './webhooks.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

/** A GitHub, a relay that takes its webhooks, and a repository that is connected. */
export interface HookWorld {
  readonly github: GithubServer;
  readonly shop: Workshop;
  readonly repository: HookedRepository;
  /** A further one. */
  connect(name: string, how?: Partial<CallParams<'hooks.connect'>>): Promise<HookedRepository>;
  deliver(told: GithubEvent, id?: string): Promise<Delivered>;
  /** What became of a delivery, once it is worked off. */
  settled(delivery: Delivered): Promise<{ state: string; reason: string; request: string | undefined }>;
  /** A request that is over. */
  done(key: string | undefined): Promise<HookRequest>;
  dispose(): Promise<void>;
}

export interface HookedRepository {
  name: string;
  bare: string;
  talk: GithubTalk;
  hooks: GithubHooks;
  /** Opens an issue by `alice`, who may write. */
  openIssue(title: string, body: string, by?: string): number;
  pull(number: number): { state: string; head: string; body: string | null; draft: boolean } | undefined;
}

const WAIT_MS = 90_000;

export async function openHookWorld(env: Record<string, string> = {}): Promise<HookWorld> {
  const github = await startGithubServer();
  const shop = await openWorkshop({
    SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
    SANDPIPER_GITHUB_TOKEN: github.token,
    SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET,
    SANDPIPER_WEBHOOK_RETRY_MS: '20',
    ...env,
  }).catch(async (error: unknown) => {
    await github.close();
    throw error;
  });
  const world: Omit<HookWorld, 'repository'> = {
    github,
    shop,
    async connect(name, how = {}) {
      const from = join(shop.folder, `from-${name}`);
      await makeSample(from);
      const { cloneUrl, bareFolder } = await github.createRepository('acme', name, { from });
      await shop.client.call('hooks.connect', {
        repository: `${github.host}/acme/${name}`,
        source: cloneUrl,
        ...how,
      });
      const { talk, hooks } = github.people('acme', name);
      talk.permissions.set('alice', 'write').set('mallory', 'read').set('sandpiper-tester', 'write');
      return {
        name,
        bare: bareFolder,
        talk,
        hooks,
        openIssue: (title, body, by = 'alice') => github.openIssue('acme', name, { title, body, by }),
        pull: number => github.pullRequests().find(one => one.repository === name && one.number === number),
      };
    },
    deliver: ({ event, payload }, id) => deliver(shop.relay, event, payload, id === undefined ? {} : { id }),
    settled: ({ id }) =>
      eventually(async () => {
        const { delivery } = await shop.client.call('hooks.show', { id });
        assert.ok(delivery && delivery.state !== 'waiting', JSON.stringify(delivery));
        return { state: delivery.state, reason: delivery.reason ?? '', request: delivery.request };
      }, WAIT_MS),
    done: key =>
      eventually(async () => {
        const { request } = await shop.client.call('hooks.show', { id: key ?? 'none' });
        assert.ok(request && request.state !== 'open', `${JSON.stringify(request)}\n${shop.relay.log.slice(-3000)}`);
        return request;
      }, WAIT_MS),
    dispose: async () => {
      await shop.dispose();
      await github.close();
    },
  };
  try {
    return { ...world, repository: await world.connect('app') };
  } catch (error) {
    await world.dispose();
    throw error;
  }
}

/** The state of the one session that a request has. */
export function stateOf({ shop }: HookWorld, { sessionId }: HookRequest): Promise<SessionState> {
  assert.ok(sessionId);
  return shop.client.call('session.get', { sessionId });
}
