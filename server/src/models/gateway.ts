import { createHash, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { lstat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { toError } from '../../../protocol/errors.ts';
import type { Usage } from '../../../protocol/events.ts';
import type { Logger } from '../core/log.ts';
import { createConnections, runExchange, type Connections } from './exchange.ts';
import { givenToken, type ModelKey } from './headers.ts';
import { closeServer, listen, listenOnSocket } from '../core/socketServer.ts';
import {
  firstModelIn,
  isGreeting,
  likelyModelIn,
  modelIn,
  readBody,
  targetOf,
  type RequestBody,
  type Target,
} from './modelRequest.ts';
import { budgetRefusal, modelRefusal, refuse, REFUSALS, type Refusal } from './refusal.ts';

/** Name of the socket in the session's folder. */
const MODEL_SOCKET = 'model.sock';

const DEFAULT_SILENCE_MS = 120_000;

export interface ModelGatewayOptions {
  /** http or https, with or without a path in front of `/v1`. */
  upstreamUrl: string;
  /** The real key; asked for every call, so that a new one counts at once. */
  key(): ModelKey | undefined;
  log: Logger;
  /** Called with what was used since the last call, while an answer streams and at its end. */
  onUsage(sessionId: string, usage: Usage): void;
  silenceMs?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

interface GatewaySession {
  sessionId: string;
  /** What the agent shows instead of a key; worthless outside this relay. */
  token: string;
  /** Folder for the session's socket; made when it is missing. Without it only `listenTcp` serves the session. */
  socketFolder?: string;
  /** Ends all calls of the session when it is spent. */
  budgetUsd?: number;
  spentUsd: number;
  /** Beginnings of the models' ids that the session may use; default all. */
  models?: readonly string[];
}

/** What is known of a session's calls, to tell a model that thinks from one that hangs. Milliseconds since the epoch. */
interface CallEvidence {
  inFlight: number;
  /** When the oldest call in flight began. */
  since: number | undefined;
  /** When the last byte of any answer came. */
  lastByteAt: number | undefined;
}

export interface ModelGateway {
  /**
   * Lets a session call the model; a session that is open already is replaced.
   * @returns the name of the socket in `socketFolder`, when one was given
   * @throws `invalid_params` when the socket's path is too long, `sandbox_unavailable` when it cannot be made
   */
  open(session: GatewaySession): Promise<{ socketName?: string }>;
  /** Changes what an open session may spend in all; undefined: no limit. */
  setBudget(sessionId: string, budgetUsd: number | undefined): void;
  /** Cuts the session's calls and forgets its token. Idempotent. */
  close(sessionId: string): Promise<void>;
  /**
   * Serves every open session also over TCP, for sandboxes that cannot have a unix socket. Port 0 lets the system choose.
   * @param startingMs for so long a token that is not known is asked to come again: a relay that was started anew finds
   *   agents at work whose sessions it has yet to take up, and one that was told that its token is wrong gives up its turn
   */
  listenTcp(host: string, port: number, startingMs?: number): Promise<{ port: number; url: string }>;
  lastRequest(sessionId: string): CallEvidence | undefined;
  dispose(): Promise<void>;
}

interface OpenSession {
  spec: GatewaySession;
  tokenHash: Buffer;
  server: Server | undefined;
  spentUsd: number;
  calls: Map<object, { since: number; response: ServerResponse; openUsd: number }>;
  lastByteAt: number | undefined;
}

/**
 * The only way from a sandbox to the model. A session's token comes in, the real key goes out and never back; what is called,
 * by which model and for how much money is limited here, because the agent's own limits cannot be trusted.
 */
export function createModelGateway(options: ModelGatewayOptions): ModelGateway {
  return new Gateway(options);
}

class Gateway implements ModelGateway {
  readonly #options: ModelGatewayOptions;
  readonly #upstream: URL;
  readonly #connections: Connections = createConnections();
  readonly #sessions = new Map<string, OpenSession>();
  #startingUntil = -Infinity;
  readonly #tcpServers = new Set<Server>();
  readonly #now: () => number;

  constructor(options: ModelGatewayOptions) {
    this.#options = options;
    this.#upstream = new URL(options.upstreamUrl);
    this.#now = options.now ?? Date.now;
  }

  async open(spec: GatewaySession): Promise<{ socketName?: string }> {
    const open = this.#sessions.get(spec.sessionId);
    if (open && (await serves(open, spec))) {
      // Whoever comes back to a living agent must not cut the call that it waits for.
      open.spec = spec;
      open.spentUsd = Math.max(open.spentUsd, spec.spentUsd);
      return { socketName: MODEL_SOCKET };
    }
    await this.close(spec.sessionId);
    const session: OpenSession = {
      spec,
      tokenHash: hash(spec.token),
      server: undefined,
      spentUsd: spec.spentUsd,
      calls: new Map(),
      lastByteAt: undefined,
    };
    if (spec.socketFolder !== undefined) {
      session.server = this.#createServer(token =>
        timingSafeEqual(hash(token), session.tokenHash) ? session : undefined,
      );
      await listenOnSocket(session.server, join(spec.socketFolder, MODEL_SOCKET));
    }
    this.#sessions.set(spec.sessionId, session);
    return spec.socketFolder === undefined ? {} : { socketName: MODEL_SOCKET };
  }

  setBudget(sessionId: string, budgetUsd: number | undefined): void {
    const session = this.#sessions.get(sessionId);
    if (session) {
      const { budgetUsd: _before, ...rest } = session.spec;
      session.spec = { ...rest, ...(budgetUsd === undefined ? {} : { budgetUsd }) };
    }
  }

  async close(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    for (const call of session?.calls.values() ?? []) {
      call.response.destroy();
    }
    if (session?.server !== undefined) {
      await closeServer(session.server);
    }
  }

  async listenTcp(host: string, port: number, startingMs = 0): Promise<{ port: number; url: string }> {
    this.#startingUntil = this.#now() + startingMs;
    const server = this.#createServer(token => {
      const given = hash(token);
      return [...this.#sessions.values()].find(session => timingSafeEqual(given, session.tokenHash));
    });
    await listen(server, () => server.listen(port, host));
    this.#tcpServers.add(server);
    const address = server.address();
    const chosen = typeof address === 'object' && address !== null ? address.port : port;
    return { port: chosen, url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}` };
  }

  lastRequest(sessionId: string): CallEvidence | undefined {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) {
      return undefined;
    }
    const starts = [...session.calls.values()].map(call => call.since);
    return {
      inFlight: starts.length,
      since: starts.length === 0 ? undefined : Math.min(...starts),
      lastByteAt: session.lastByteAt,
    };
  }

  async dispose(): Promise<void> {
    await Promise.all([
      ...[...this.#sessions.keys()].map(sessionId => this.close(sessionId)),
      ...[...this.#tcpServers].map(server => closeServer(server)),
    ]);
    this.#tcpServers.clear();
    this.#connections.http.destroy();
    this.#connections.https.destroy();
  }

  #createServer(sessionOf: (token: string) => OpenSession | undefined): Server {
    const server = createServer({ noDelay: true, keepAliveTimeout: 120_000 }, (request, response) => {
      this.#handle(request, response, sessionOf).catch((error: unknown) => {
        if (!response.destroyed) {
          const fields = { error: toError(error).message };
          this.#options.log.log('error', 'model', 'A model call failed inside the gateway', fields);
        }
        refuse(response, REFUSALS.unreachable);
      });
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('error', error => this.#options.log.log('error', 'model', 'The model gateway', { error: error.message }));
    return server;
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    sessionOf: (token: string) => OpenSession | undefined,
  ): Promise<void> {
    response.on('error', () => response.destroy());
    if (isGreeting(request)) {
      response.writeHead(200, { 'content-length': 0 }).end();
      return;
    }
    if (request.headers.origin !== undefined) {
      refuse(response, REFUSALS.badOrigin);
      return;
    }
    const session = sessionOf(givenToken(request.headers) ?? '');
    if (session === undefined) {
      refuse(response, this.#now() < this.#startingUntil ? REFUSALS.starting : REFUSALS.unauthorized);
      return;
    }
    const target = targetOf(request, this.#upstream);
    if (target === undefined) {
      refuse(response, REFUSALS.notAllowed);
      return;
    }
    const mustBeSure = session.spec.models !== undefined;
    const body = await readBody(request, start => !mustBeSure && firstModelIn(start) !== undefined);
    const model = body === undefined ? '' : (mustBeSure ? modelIn : likelyModelIn)(body.start);
    const key = this.#options.key();
    const refusal = body === undefined ? REFUSALS.tooLarge : this.#refusal(session, target, model, key);
    if (body === undefined || key === undefined || refusal !== undefined) {
      this.#note(session, { refused: refusal?.code ?? refusal?.type });
      refuse(response, refusal ?? REFUSALS.noKey);
      // Or the connection would stay in the middle of this call.
      request.resume();
      return;
    }
    await this.#pass(session, request, response, { body, url: target.url, key, model: model ?? '' });
  }

  #refusal(
    session: OpenSession,
    target: Target,
    model: string | undefined,
    key: ModelKey | undefined,
  ): Refusal | undefined {
    const { budgetUsd, models } = session.spec;
    if (key === undefined) {
      return REFUSALS.noKey;
    }
    if (target.needsModel && model === undefined) {
      return REFUSALS.badBody;
    }
    if (target.needsModel && models !== undefined && !models.some(prefix => model?.startsWith(prefix))) {
      return modelRefusal(model ?? '');
    }
    return budgetUsd !== undefined && spent(session) >= budgetUsd ? budgetRefusal(budgetUsd) : undefined;
  }

  async #pass(
    session: OpenSession,
    request: IncomingMessage,
    response: ServerResponse,
    what: { body: RequestBody; url: URL; key: ModelKey; model: string },
  ): Promise<void> {
    const call = { since: this.#now(), response, openUsd: 0 };
    session.calls.set(call, call);
    try {
      const result = await runExchange({
        ...what,
        request,
        response,
        agents: this.#connections,
        silenceMs: this.#options.silenceMs ?? DEFAULT_SILENCE_MS,
        onUsage: usage => this.#used(session, usage),
        isOverBudget: openUsd => {
          call.openUsd = openUsd;
          const { budgetUsd } = session.spec;
          return budgetUsd !== undefined && spent(session) > budgetUsd;
        },
        onByte: () => {
          session.lastByteAt = this.#now();
        },
      });
      this.#note(session, { ...result, ms: this.#now() - call.since, bytes: what.body.bytes });
    } finally {
      session.calls.delete(call);
    }
  }

  #used(session: OpenSession, usage: Usage): void {
    session.spentUsd += usage.costUsd;
    try {
      this.#options.onUsage(session.spec.sessionId, usage);
    } catch (error) {
      this.#options.log.log('error', 'model', 'Usage could not be recorded', { error: toError(error).message });
    }
  }

  /** Never bodies, headers or keys. */
  #note(session: OpenSession, fields: Record<string, unknown>): void {
    this.#options.log.log('debug', 'model', 'Model call', { sessionId: session.spec.sessionId, ...fields });
  }
}

/** With what streams at this moment. */
function spent(session: OpenSession): number {
  return [...session.calls.values()].reduce((sum, call) => sum + call.openUsd, session.spentUsd);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether a session is served already at the place that is asked for, with the same token. */
async function serves({ spec, server }: OpenSession, asked: GatewaySession): Promise<boolean> {
  return (
    server?.listening === true &&
    asked.socketFolder !== undefined &&
    spec.socketFolder === asked.socketFolder &&
    spec.token === asked.token &&
    (await lstat(join(asked.socketFolder, MODEL_SOCKET)).catch(() => undefined))?.isSocket() === true
  );
}
