import { createHmac, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { relayAddressFile, writeRelayAddress } from '../../client/relayAddress.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import type { Agent, FoundAgent } from './agents/agent.ts';
import { createClaudeAgent } from './agents/claude/claudeAgent.ts';
import { Archives } from './archives/archives.ts';
import { VERSION, type Config } from './core/config.ts';
import { openDataFolder, readOrMakeSecret } from './core/dataFolder.ts';
import { requireRoom } from './core/diskSpace.ts';
import { guardFile } from './core/folderGuard.ts';
import { watchIdle } from './core/idleWatch.ts';
import type { Logger } from './core/log.ts';
import { Drain } from './drain.ts';
import { refuseNetworkFileSystem } from './core/networkFileSystem.ts';
import { steadyNow } from './core/steadyClock.ts';
import { EgressProxy } from './egress/egressProxy.ts';
import { parseEgress } from './egress/rules.ts';
import { SavedRules } from './egress/savedRules.ts';
import { loadGithubClient } from './forges/github/githubClients.ts';
import { Mirrors } from './git/mirrors.ts';
import { Guard } from './http/guard.ts';
import { lateHttpApp } from './http/lateHttpApp.ts';
import { startHttpServer } from './http/startHttpServer.ts';
import { TicketDesk } from './http/tickets.ts';
import { createModelGateway, type ModelGateway } from './models/gateway.ts';
import { Secrets } from './redaction/secrets.ts';
import { relayHandlers } from './relayHandlers.ts';
import { afterAbandoned } from './sandboxes/afterAbandoned.ts';
import { createDockerProvider } from './sandboxes/docker/dockerProvider.ts';
import { createLocalProvider } from './sandboxes/local/localProvider.ts';
import { Conversations } from './sessions/conversations.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { landingHandlers } from './sessions/landingHandlers.ts';
import { policyHandlers } from './sessions/policyHandlers.ts';
import { readHandlers } from './sessions/readHandlers.ts';
import { sessionHandlers } from './sessions/sessionHandlers.ts';
import { Sessions } from './sessions/sessions.ts';
import { Spares } from './sessions/spares.ts';
import { SpecNews } from './specs/specNews.ts';
import { Search } from './search/search.ts';
import { openBlobs } from './store/fileBlobs.ts';
import { hasSearchIndex, openSearchIndex, removeSearchIndex, SEARCH_FILE } from './store/sqlite/searchIndex.ts';
import { openHooks } from './openHooks.ts';
import { openTriggers } from './openTriggers.ts';
import { openOwnedStore, type OwnedStore } from './openOwnedStore.ts';
import { openForges } from './openForges.ts';
import type { OpenSignIns } from './openSignIns.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { vendorProviders } from './vendorProviders.ts';
import { attachWebSocket } from './ws/attachWebSocket.ts';

export interface Relay {
  readonly url: string;
  /** Resolves when the relay had no client and no work for `idleExitMs`; never where that is 0. */
  readonly idle: Promise<void>;
  /** Resolves when another relay is to go on and no call is under way: `close` is due. */
  readonly handedOver: Promise<void>;
  /** Resolves when the database was removed or replaced: nothing that is written counts any more, so the process must end at once. */
  readonly databaseLost: Promise<void>;
  /** Stops listening and lets go of everything; agents work on. */
  close(): Promise<void>;
}

type Cleanup = () => Promise<void> | void;

/** How long a found agent is trusted before it is looked for again. */
const FOUND_AGENT_MS = 60_000;

/** How long it may take after the start of a relay until every session that was at work is served. */
const TAKE_UP_MS = 120_000;

/** Clients that come back after a kill are served first; what that does not need is loaded then. */
const LOAD_REST_AFTER_MS = 1_000;

/**
 * Puts the relay together and starts it: the only place that names concrete stores, providers, agents and forges.
 * @param onFenced another relay has taken over from this one, which hung: the process must end at once, without `close`
 * @throws `conflict` when another relay owns the data folder
 */
export async function startRelay(config: Config, log: Logger, onFenced: () => void): Promise<Relay> {
  const cleanups: Cleanup[] = [];
  let owned: OwnedStore | undefined;
  // Things are let go of in the reverse order of their making.
  const close = async (): Promise<void> => {
    // What is removed below would be another's if this relay has slept and been taken over from.
    await owned?.ownership.confirm();
    owned = undefined;
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  };
  try {
    await refuseNetworkFileSystem(config.dataFolder);
    await openDataFolder(config.dataFolder);
    owned = await openOwnedStore(config, log, onFenced);
    cleanups.push(owned.close);
    return { ...(await assemble(config, log, owned, cleanup => cleanups.push(cleanup))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  config: Config,
  log: Logger,
  owned: OwnedStore,
  onClose: (cleanup: Cleanup) => void,
): Promise<Omit<Relay, 'close'>> {
  const token = await readOrMakeSecret(join(config.dataFolder, 'token'));
  const instance = randomUUID();
  const startedAt = Date.now();
  const modelKey: { current: Config['modelKey'] } = { current: config.modelKey };
  const { dependencies, sessions, upkeep, signIns, databaseLost } = await buildSessions(
    config,
    log,
    { token, modelKey: () => modelKey.current, owned },
    onClose,
  );
  const search = openSearch(config, log, { dependencies, sessions }, onClose);
  const drain = new Drain();
  const onHandOver = () => {
    log.log('info', 'relay', 'Handing over to another relay');
    drain.begin();
  };
  const sessionCalls = drain.guard({
    ...readHandlers(dependencies, sessions),
    ...sessionHandlers(dependencies, sessions),
    ...policyHandlers(dependencies, sessions),
  });
  const hooks = await openHooks({ config, token, dependencies, sessions, calls: sessionCalls }, onClose);
  const triggers = await openTriggers({ config, dependencies, calls: sessionCalls }, onClose);
  const handlers = drain.guard({
    ...relayHandlers({ config, dependencies, upkeep, startedAt, modelKey, onHandOver, signIns }),
    ...signIns.handlers,
    ...search.handlers,
    ...sessionCalls,
    ...landingHandlers(dependencies, sessions),
    ...hooks.handlers,
    ...triggers.handlers,
  });
  const tickets = new TicketDesk();
  const guard = new Guard({
    token,
    verifyBrowserToken: browserToken => tickets.verify(browserToken),
    hosts: config.hosts,
  });
  const app = lateHttpApp({ guard, log, version: VERSION }, async () => {
    const { createHttpApp } = await import('./http/createHttpApp.ts');
    return createHttpApp({
      guard,
      tickets,
      handlers,
      source: sessions,
      ready: () => dependencies.store.check(),
      log,
      version: VERSION,
      webhooks: hooks.doors,
      namedWebhooks: triggers.door,
      webFolders: [join(config.programFolder, 'dist/webview')],
    });
  });
  const sockets: { size: number }[] = [];
  const server = await startHttpServer({
    app: app.listener,
    guard,
    host: config.host,
    port: config.port,
    log,
    attach: http => {
      const endpoint = attachWebSocket(http, {
        guard: guard.checkUpgrade,
        handlers,
        source: sessions,
        log,
        instance,
        version: VERSION,
      });
      sockets.push(endpoint);
      return endpoint;
    },
  });
  onClose(() => server.close());
  await writeRelayAddress(config.dataFolder, { url: server.url, token, pid: process.pid, version: VERSION });
  onClose(() => rm(relayAddressFile(config.dataFolder), { force: true }));
  for (const provider of dependencies.providers.values()) {
    await provider.endAbandoned?.();
  }
  const open = await sessions.recover();
  hooks.start();
  triggers.start();
  loadRestLater(app, dependencies, onClose);
  log.log('info', 'relay', 'The relay listens', { url: server.url, dataFolder: config.dataFolder, takenUp: open });
  const idle = watchIdle(
    config.idleExitMs,
    () => sockets.some(endpoint => endpoint.size > 0) || sessions.busy || upkeep.busy || hooks.busy || triggers.busy,
  );
  onClose(() => idle.dispose());
  return { url: server.url, idle: idle.reached, handedOver: drain.drained, databaseLost };
}

function loadRestLater(
  app: { load(): void },
  { spares, log }: Dependencies,
  onClose: (cleanup: Cleanup) => void,
): void {
  const loading = setTimeout(() => {
    app.load();
    void loadGithubClient().catch(() => {});
    spares.removeLeft().catch((error: unknown) => {
      log.log('warn', 'sandbox', 'What the last relay kept ready could not be removed', { error: String(error) });
    });
  }, LOAD_REST_AFTER_MS).unref();
  onClose(() => clearTimeout(loading));
}

function openSearch(
  { dataFolder }: Config,
  log: Logger,
  { dependencies, sessions }: { dependencies: Dependencies; sessions: Sessions },
  onClose: (cleanup: Cleanup) => void,
): Search {
  const file = join(dataFolder, SEARCH_FILE);
  const search = new Search({
    store: dependencies.store,
    open: () => openSearchIndex({ file, log }),
    exists: () => hasSearchIndex(file),
    clear: () => removeSearchIndex(file),
    log,
  });
  onClose(() => search.close());
  const removals = sessions.followRemovals(sessionId => void search.forget(sessionId));
  onClose(() => removals.dispose());
  return search;
}

async function buildSessions(
  config: Config,
  log: Logger,
  { token, modelKey, owned }: { token: string; modelKey: () => Config['modelKey']; owned: OwnedStore },
  onClose: (cleanup: Cleanup) => void,
): Promise<{
  dependencies: Dependencies;
  sessions: Sessions;
  upkeep: Upkeep;
  signIns: OpenSignIns;
  databaseLost: Promise<void>;
}> {
  const { dataFolder } = config;
  const { store, ownership } = owned;
  const guard = await guardFile(join(dataFolder, 'relay.db'));
  onClose(() => guard.dispose());
  const runFolder = join(dataFolder, 'run');
  await mkdir(runFolder, { recursive: true, mode: 0o700 });
  let sessions: Sessions | undefined;
  let upkeep: Upkeep | undefined;
  const gateway = createModelGateway({
    upstreamUrl: config.modelUrl,
    key: modelKey,
    log,
    silenceMs: config.modelSilenceMs,
    now: steadyNow,
    onUsage: (sessionId, usage) => sessions?.addUsage(sessionId, usage),
  });
  onClose(() => gateway.dispose());
  const secrets = secretsOf(config, token);
  const egress = await openEgress(config, log);
  onClose(() => egress.proxy.dispose());
  const local = createLocalProvider({ folder: join(dataFolder, 'sandboxes'), log, path: config.path, ownership });
  const docker = createDockerProvider({
    ...config.docker,
    folder: join(dataFolder, 'containers'),
    log,
    ownership,
  });
  const onToken = (value: string): void => secrets.hold('kubernetes', 'token of Kubernetes', value);
  const vendors = vendorProviders(config, { token, ownership, log, onToken }, onClose);
  const claude = createClaudeAgent({ path: config.path, configFolder: config.claudeFolder });
  const agents = new Map<string, Agent>([[claude.id, claude]]);
  const { signIns, ...forging } = await openForges(config, { store, ownership, secrets, log });
  onClose(() => signIns.close());
  const mirrors = new Mirrors(join(dataFolder, 'mirrors'), log);
  const providers = new Map([local, docker, ...vendors].map(provider => [provider.id, afterAbandoned(provider)]));
  const findAgent = cachedSearch(agents, config.claudePath);
  const spares = new Spares({ providers, mirrors, agents, findAgent, log }, config.spareSandboxes);
  onClose(() => spares.close());
  const dependencies: Dependencies = {
    store,
    ownership,
    blobs: await openBlobs(join(dataFolder, 'blobs')),
    archives: await Archives.open(join(dataFolder, 'archives')),
    retention: config.retention,
    mirrors,
    conversations: new Conversations(join(dataFolder, 'conversations')),
    gateway,
    secrets,
    egress,
    providers,
    spares,
    agents,
    ...forging,
    log,
    sampleFolder: join(dataFolder, 'samples'),
    runFolder,
    gatewayUrl: await openModelAddress(config, gateway),
    idleMs: config.idleMs,
    stuckMs: config.stuckMs,
    requireRoom: async sessionId => {
      await requireRoom(dataFolder);
      upkeep?.requireQuota(sessionId);
    },
    specNews: new SpecNews(),
    findAgent,
    gatewayToken: sessionId => createHmac('sha256', token).update(`gateway:${sessionId}`).digest('base64url'),
  };
  sessions = new Sessions(dependencies);
  const made = sessions;
  onClose(() => made.close());
  const keeping = new Upkeep({ dependencies, sessions, dataFolder });
  upkeep = keeping;
  onClose(() => keeping.close());
  return { dependencies, sessions, upkeep, signIns, databaseLost: guard.lost };
}

/** What is held from the start; keys that are set and tokens that are brought later come to it. */
function secretsOf({ modelKey, githubToken, gitea, gitlab, vendors }: Config, token: string): Secrets {
  const secrets = new Secrets();
  secrets.hold('model', 'model key', modelKey?.value);
  secrets.hold('relay', 'token of the relay', token);
  secrets.hold('github', 'forge token', githubToken);
  for (const [host, value] of [...gitea.tokens, ...gitlab.tokens]) {
    secrets.hold(`forge ${host}`, 'forge token', value);
  }
  secrets.hold('e2b', 'key of E2B', vendors.e2b?.apiKey);
  secrets.hold('daytona', 'key of Daytona', vendors.daytona?.apiKey);
  return secrets;
}

async function openEgress({ network, dataFolder }: Config, log: Logger): Promise<Dependencies['egress']> {
  const relayRules = network.allow.flatMap(parseEgress);
  const privateHosts = network.privateHosts.flatMap(parseEgress);
  return {
    proxy: new EgressProxy({ log, privateHosts, maxSentBytes: network.maxSentBytes }),
    saved: await SavedRules.open(join(dataFolder, 'network-rules.json')),
    relayRules,
  };
}

/** Where sandboxes that cannot have a unix socket of this machine reach the model; undefined when that was not set up. */
async function openModelAddress({ gateway: address }: Config, gateway: ModelGateway): Promise<string | undefined> {
  if (address) {
    await gateway.listenTcp(address.host, address.port, TAKE_UP_MS);
    return address.publicUrl;
  }
  return process.platform === 'win32' ? (await gateway.listenTcp('127.0.0.1', 0, TAKE_UP_MS)).url : undefined;
}

/** Looking for a program starts a process; within a minute the answer is the same. Failures are not kept. */
function cachedSearch(
  agents: ReadonlyMap<string, Agent>,
  configuredPath: string | undefined,
): (id: string) => Promise<FoundAgent> {
  const found = new Map<string, { at: number; answer: Promise<FoundAgent> }>();
  return async id => {
    const known = found.get(id);
    if (known && Date.now() - known.at < FOUND_AGENT_MS) {
      return known.answer;
    }
    const agent = agents.get(id);
    if (!agent) {
      throw new SandpiperError('invalid_params', `There is no agent "${id}".`, {
        hint: `Choose one of: ${[...agents.keys()].join(', ')}.`,
      });
    }
    const answer = agent.find(configuredPath);
    found.set(id, { at: Date.now(), answer });
    answer.catch(() => found.delete(id));
    return answer;
  };
}
