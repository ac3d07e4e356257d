import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { HookConfig } from '../core/hookConfig.ts';
import type { Logger } from '../core/log.ts';
import type { Colleague } from '../forges/colleague.ts';
import type { HookForge } from '../../../protocol/hookCalls.ts';
import type { Forge, ForgeRepository } from '../forges/forge.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { Store } from '../store/store.ts';
import { catchUp } from './catchUp.ts';
import { Connections } from './connections.ts';
import type { Call, HookContext } from './context.ts';
import { Deliveries } from './deliveries.ts';
import { readStoredEvent } from './dialect.ts';
import { GITEA_DIALECT } from './giteaDialect.ts';
import { GITHUB_DIALECT } from './githubDialect.ts';
import { GITLAB_DIALECT } from './gitlabDialect.ts';
import { hookHandlers, type HookHandlers } from './hookHandlers.ts';
import { HookSecret } from './hookSecret.ts';
import { takeIn } from './intake.ts';
import { Pump } from './pump.ts';
import { Requests } from './requests.ts';

export interface HooksOptions {
  dataFolder: string;
  config: HookConfig;
  store: Store;
  idempotency: Idempotency;
  log: Logger;
  call: Call;
  forges: readonly Forge[];
  colleague: Colleague;
  forgeToken: (repository: ForgeRepository) => Promise<string | undefined>;
  /** The relay's own, from which marks in comments are made. */
  relayToken: string;
  /** Hears of every webhook that is new. */
  onTold: (payload: unknown) => void;
  /** Brings what a session says of its pull request up to date. */
  lookAt: HookContext['lookAt'];
  /** Hears of the secrets of webhooks, which must stand in no log. */
  onSecret: (forge: HookForge, secret: string) => void;
}

/** Forges want at most one new text in a second. */
const PACE_MS = 1_000;

/** How often what nobody told is looked for, besides the start. */
const LOOK_AGAIN_MS = 3600_000;

const DIALECTS = [GITHUB_DIALECT, GITEA_DIALECT, GITLAB_DIALECT];

/** When it was last looked for. */
const SEEN_SETTING = 'hooks.seenAt';

/** All about webhooks: what comes in, what it asks for, and what is said of it. */
export class Hooks {
  /** Where HTTP hands webhooks to. */
  readonly doors: Readonly<Record<HookForge, ReturnType<Deliveries['door']>>>;
  readonly #deliveries: Deliveries;
  readonly handlers: HookHandlers;
  readonly #requests: Requests;
  readonly #missed: Pump;

  private constructor(deliveries: Deliveries, requests: Requests, missed: Pump, handlers: HookHandlers) {
    this.#deliveries = deliveries;
    this.doors = {
      github: deliveries.door(GITHUB_DIALECT),
      gitea: deliveries.door(GITEA_DIALECT),
      gitlab: deliveries.door(GITLAB_DIALECT),
    };
    this.#missed = missed;
    this.#requests = requests;
    this.handlers = handlers;
  }

  static async open(options: HooksOptions): Promise<Hooks> {
    const { config, store, idempotency, log, forges } = options;
    const secrets = {
      github: await openSecret(options, 'github'),
      gitea: await openSecret(options, 'gitea'),
      gitlab: await openSecret(options, 'gitlab'),
    };
    const connections = new Connections(store);
    const context = contextOf(options, connections);
    const requests = new Requests(context, config.retryMs);
    const deliveries = new Deliveries({
      store: store.hooks,
      log,
      secret: forge => secrets[forge].value,
      retryMs: config.retryMs,
      handle: async (stored, payload) => {
        const { forge, event } = readStoredEvent(stored);
        const dialect = DIALECTS.find(one => one.forge === forge);
        return dialect
          ? takeIn(context, dialect, { event, payload })
          : { kind: 'ignored', reason: `There are no webhooks of ${forge}.` };
      },
      onRequest: () => requests.nudge(),
      onTold: options.onTold,
    });
    const isKnown = (page: string) => forges.some(forge => forge.match(page) !== undefined);
    const handlers = hookHandlers({ store, idempotency, secrets, connections, deliveries, requests, isKnown });
    let lookAt = 0;
    const missed = new Pump(async () => {
      if (Date.now() >= lookAt) {
        lookAt = await lookForMissed(context, store, requests);
      }
      return lookAt;
    }, log);
    return new Hooks(deliveries, requests, missed, handlers);
  }

  /** Whether something is being done at this moment. */
  get busy(): boolean {
    return this.#deliveries.busy || this.#requests.busy;
  }

  /** Takes up what an earlier relay left, and looks for what nobody told it. */
  start(): void {
    this.#deliveries.nudge();
    this.#requests.nudge();
    this.#missed.nudge();
  }

  sessionChanged(summary: SessionSummary): void {
    this.#requests.sessionChanged(summary);
  }

  async close(): Promise<void> {
    await Promise.all([this.#deliveries.close(), this.#requests.close(), this.#missed.close()]);
  }
}

function openSecret({ dataFolder, config, onSecret }: HooksOptions, forge: HookForge): Promise<HookSecret> {
  return HookSecret.open(dataFolder, forge, config.secrets[forge], secret => onSecret(forge, secret));
}

/** What was written before this moment was told, or nobody was to hear it. */
async function lookForMissed(context: HookContext, store: Store, requests: Requests): Promise<number> {
  const now = Date.now();
  const seenAt = Number((await store.readSetting(SEEN_SETTING)) ?? now);
  if ((await catchUp(context, seenAt)) > 0) {
    requests.nudge();
  }
  await store.writeSetting(SEEN_SETTING, JSON.stringify(now));
  return now + LOOK_AGAIN_MS;
}

function contextOf(
  { config, store, log, call, forges, colleague, forgeToken, relayToken, lookAt }: HooksOptions,
  connections: Connections,
): HookContext {
  const ours = async () => (await store.activeSessions()).map(({ summary }) => summary).filter(({ origin }) => origin);
  const forgeOf = (repository: ForgeRepository): Forge => {
    const found = forges.find(({ id }) => id === repository.forge);
    if (!found) {
      throw new SandpiperError('no_forge', `This relay knows no forge ${repository.forge}.`);
    }
    return found;
  };
  return {
    call,
    store: store.hooks,
    connections,
    log,
    colleague,
    lookAt,
    repositoryAt: page => forges.map(forge => forge.match(page)).find(found => found !== undefined),
    place: async repository => {
      const token = await forgeToken(repository);
      if (token === undefined) {
        throw new SandpiperError('forge_unauthorized', `There is no token for ${repository.host}.`, {
          hint: `${forgeOf(repository).tokenHint(repository)} Then try again with \`sandpiper hooks retry\`.`,
        });
      }
      return { repository, token };
    },
    ours,
    defaultBranch: ({ repository, token }) => forgeOf(repository).defaultBranch(repository, token),
    sessionOfPull: async url => oldest((await ours()).filter(one => isSame(one.pullRequest?.url, url)))?.id,
    pullOfCommit: async commit => {
      const { pullRequest } = oldest((await ours()).filter(one => one.pullRequest?.headCommit === commit)) ?? {};
      return pullRequest && { number: pullRequest.number, url: pullRequest.url };
    },
    marker: key => {
      const mark = createHmac('sha256', relayToken).update(`hook:${key}`).digest('hex').slice(0, 32);
      return `<!-- sandpiper:${mark} -->`;
    },
    pace: () => setTimeout(Math.min(PACE_MS, config.retryMs)),
  };
}

/** A branched session has the pull request of the one that it came from, which goes on with it. */
function oldest(sessions: readonly SessionSummary[]): SessionSummary | undefined {
  return sessions.toSorted((one, other) => one.createdAt - other.createdAt)[0];
}

function isSame(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
