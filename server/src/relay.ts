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
import { createGithubForge } from './forges/github/githubForge.ts';
import { Mirrors } from './git/mirrors.ts';
import { createHttpApp } from './http/createHttpApp.ts';
import { Guard } from './http/guard.ts';
import { startHttpServer } from './http/startHttpServer.ts';
import { TicketDesk } from './http/tickets.ts';
import { createModelGateway } from './models/gateway.ts';
import { relayHandlers } from './relayHandlers.ts';
import { createLocalProvider } from './sandboxes/local/localProvider.ts';
import { Conversations } from './sessions/conversations.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { landingHandlers } from './sessions/landingHandlers.ts';
import { readHandlers } from './sessions/readHandlers.ts';
import { sessionHandlers } from './sessions/sessionHandlers.ts';
import { Sessions } from './sessions/sessions.ts';
import { SourceAccess } from './sessions/sourceAccess.ts';
import { openBlobs } from './store/fileBlobs.ts';
import { openOwnedStore, type OwnedStore } from './openOwnedStore.ts';
import { Upkeep } from './upkeep/upkeep.ts';
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
  const { dependencies, sessions, upkeep, databaseLost } = await buildSessions(
    config,
    log,
    { token, modelKey: () => modelKey.current, owned },
    onClose,
  );
  const drain = new Drain();
  const onHandOver = () => {
    log.log('info', 'relay', 'Handing over to another relay');
    drain.begin();
  };
  const handlers = drain.guard({
    ...relayHandlers({ config, dependencies, upkeep, startedAt, modelKey, onHandOver }),
    ...readHandlers(dependencies, sessions),
    ...landingHandlers(dependencies, sessions),
    ...sessionHandlers(dependencies, sessions),
  });
  const tickets = new TicketDesk();
  const guard = new Guard({
    token,
    verifyBrowserToken: browserToken => tickets.verify(browserToken),
    hosts: config.hosts,
  });
  const app = createHttpApp({
    guard,
    tickets,
    handlers,
    source: sessions,
    ready: () => dependencies.store.check(),
    log,
    version: VERSION,
    webFolders: [join(config.programFolder, 'dist/webview')],
  });
  const sockets: { size: number }[] = [];
  const server = await startHttpServer({
    app,
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
  log.log('info', 'relay', 'The relay listens', { url: server.url, dataFolder: config.dataFolder, takenUp: open });
  const idle = watchIdle(
    config.idleExitMs,
    () => sockets.some(endpoint => endpoint.size > 0) || sessions.busy || upkeep.busy,
  );
  onClose(() => idle.dispose());
  return { url: server.url, idle: idle.reached, handedOver: drain.drained, databaseLost };
}

async function buildSessions(
  config: Config,
  log: Logger,
  { token, modelKey, owned }: { token: string; modelKey: () => Config['modelKey']; owned: OwnedStore },
  onClose: (cleanup: Cleanup) => void,
): Promise<{ dependencies: Dependencies; sessions: Sessions; upkeep: Upkeep; databaseLost: Promise<void> }> {
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
  const local = createLocalProvider({ folder: join(dataFolder, 'sandboxes'), log, path: config.path, ownership });
  const claude = createClaudeAgent({ path: config.path });
  const github = createGithubForge({ hosts: config.githubHosts });
  const agents = new Map<string, Agent>([[claude.id, claude]]);
  const forgeToken = (forge: string) => (forge === github.id ? config.githubToken : undefined);
  const dependencies: Dependencies = {
    store,
    ownership,
    blobs: await openBlobs(join(dataFolder, 'blobs')),
    archives: await Archives.open(join(dataFolder, 'archives')),
    retention: config.retention,
    mirrors: new Mirrors(join(dataFolder, 'mirrors'), log),
    conversations: new Conversations(join(dataFolder, 'conversations')),
    gateway,
    providers: new Map([[local.id, local]]),
    agents,
    forges: [github],
    log,
    runFolder,
    gatewayUrl: process.platform === 'win32' ? (await gateway.listenTcp('127.0.0.1', 0)).url : undefined,
    idleMs: config.idleMs,
    stuckMs: config.stuckMs,
    requireRoom: async sessionId => {
      await requireRoom(dataFolder);
      upkeep?.requireQuota(sessionId);
    },
    findAgent: cachedSearch(agents, config.claudePath),
    gatewayToken: sessionId => createHmac('sha256', token).update(`gateway:${sessionId}`).digest('base64url'),
    forgeToken,
    sourceAccess: new SourceAccess({ forges: [github], forgeToken }),
  };
  sessions = new Sessions(dependencies);
  const made = sessions;
  onClose(() => made.close());
  const keeping = new Upkeep({ dependencies, sessions, dataFolder });
  upkeep = keeping;
  onClose(() => keeping.close());
  return { dependencies, sessions, upkeep, databaseLost: guard.lost };
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
