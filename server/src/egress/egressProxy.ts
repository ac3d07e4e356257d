import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { toError } from '../../../protocol/errors.ts';
import type { BlockReason, NetworkRule } from '../../../protocol/network.ts';
import { networkName } from '../../../protocol/networkReducer.ts';
import type { Logger } from '../core/log.ts';
import { closeServer, listenOnSocket } from '../core/socketServer.ts';
import { dial, type DialOptions } from './dial.ts';
import { passPlainRequest } from './plainRequest.ts';
import { hostOf, isReadOnlyHost, ruleFor } from './rules.ts';

/** Name of the socket in the session's folder. */
export const EGRESS_SOCKET = 'egress.sock';

/** What one connection, or one request, came to. */
export interface EgressRecord {
  host: string;
  port: number;
  /** Absent: it was let through. */
  blocked?: BlockReason;
}

export interface EgressSession {
  sessionId: string;
  /** For the socket; made when it is missing. */
  socketFolder: string;
  /** Asked for every connection, so that a rule counts at once. */
  rules(): readonly NetworkRule[];
  onRecord(record: EgressRecord): void;
}

export interface EgressProxyOptions {
  log: Logger;
  /** Hosts whose addresses may be private: the operator's own registries. */
  privateHosts: readonly NetworkRule[];
  /** What the programs of one session may send in all. */
  maxSentBytes: number;
  /** A certificate authority to trust in place of the usual ones. */
  ca?: string;
  /** Default: `dial`. */
  connect?: (options: DialOptions) => ReturnType<typeof dial>;
}

const MAX_CONNECTIONS = 128;
const MAX_COUNTED = 1000;
const MAX_NAME = 253;
const IDLE_MS = 5 * 60_000;

interface OpenSession {
  spec: EgressSession;
  server: Server;
  sockets: Set<Duplex>;
  sentBytes: number;
}

/**
 * The only way from a sandbox to anything but its model: an HTTP proxy on a unix socket, for each session its own. It is
 * told names, not addresses; what a session has no rule for is refused and said.
 */
export class EgressProxy {
  readonly #options: EgressProxyOptions;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(options: EgressProxyOptions) {
    this.#options = options;
  }

  /** A session that is open already keeps its connections. @throws `invalid_params`, `sandbox_unavailable` */
  async open(spec: EgressSession): Promise<void> {
    const known = this.#sessions.get(spec.sessionId);
    if (known?.server.listening === true && known.spec.socketFolder === spec.socketFolder) {
      known.spec = spec;
      return;
    }
    await this.close(spec.sessionId);
    const server = createServer({ keepAliveTimeout: 30_000, headersTimeout: 30_000, requestTimeout: 0 });
    const session: OpenSession = { spec, server, sockets: new Set(), sentBytes: 0 };
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', socket => this.#hold(session, socket));
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('error', error => this.#warn(session, error));
    server.on('connect', (request, socket, head) => {
      this.#tunnel(session, request, socket, head).catch((error: unknown) => {
        this.#warn(session, error);
        socket.destroy();
      });
    });
    server.on('request', (request, response) => {
      this.#request(session, request, response).catch((error: unknown) => {
        this.#warn(session, error);
        response.destroy();
      });
    });
    await listenOnSocket(server, join(spec.socketFolder, EGRESS_SOCKET), 'The socket for network access');
    this.#sessions.set(spec.sessionId, session);
  }

  /** Cuts what is open. Idempotent. */
  async close(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    if (session) {
      session.sockets.forEach(socket => socket.destroy());
      await closeServer(session.server);
    }
  }

  /** Cuts connections that no rule allows any more. */
  recheck(): void {
    for (const { spec, sockets } of this.#sessions.values()) {
      for (const socket of sockets) {
        const place = places.get(socket);
        if (place && !ruleFor(spec.rules(), place.host, place.port)) {
          socket.destroy();
        }
      }
    }
  }

  /** How often a session tried a place and it came to the same, since this object was made. */
  times(sessionId: string): (record: EgressRecord) => number {
    const counts = this.#counts.get(sessionId);
    return record => counts?.get(keyOf(record)) ?? 0;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(async sessionId => this.close(sessionId)));
  }

  async #tunnel(session: OpenSession, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const place = authorityOf(request.url ?? '');
    if (!place) {
      answer(client, 400, 'Sandpiper: CONNECT takes host:port.');
      return;
    }
    const rule = ruleFor(session.spec.rules(), place.host, place.port);
    const socket = rule?.readOnly === true ? 'readOnly' : await this.#dial(session, place, rule);
    if (typeof socket === 'string') {
      this.#record(session, place, socket);
      answer(client, ...denial(place, socket));
      return;
    }
    this.#record(session, place);
    this.#hold(session, socket);
    places.set(socket, place);
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.write(head);
    this.#count(session, client);
    client.pipe(socket);
    socket.pipe(client);
    client.on('close', () => socket.destroy());
    socket.on('close', () => client.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
  }

  async #request(session: OpenSession, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined;
    if (url?.protocol !== 'http:' || url.hostname.length > MAX_NAME) {
      refuse(response, 400, 'Sandpiper: this is an HTTP proxy; say the whole http:// address, or CONNECT.');
      return;
    }
    const place = { host: hostOf(url.hostname), port: Number(url.port || '80') };
    const rules = session.spec.rules();
    const rule =
      ruleFor(rules, place.host, place.port) ??
      // git in a sandbox always asks it that way.
      (place.port === 80 && isReadOnlyHost(place.host) ? ruleFor(rules, place.host, 443) : undefined);
    const secure = rule !== undefined && (rule.readOnly === true || rule.port !== place.port);
    const target = secure ? { host: place.host, port: 443 } : place;
    const mayPass = rule?.readOnly !== true || onlyReads(request, url);
    const socket = mayPass ? await this.#dial(session, target, rule) : 'readOnly';
    if (typeof socket === 'string') {
      this.#record(session, place, socket);
      refuse(response, ...denial(place, socket));
      return;
    }
    this.#record(session, place);
    this.#hold(session, socket);
    places.set(socket, place);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    this.#count(session, request);
    const isReadOnly = (host: string): boolean => ruleFor(session.spec.rules(), host, 80)?.readOnly === true;
    passPlainRequest({ request, response, url, socket, secure, isReadOnly, ca: this.#options.ca });
  }

  async #dial(
    session: OpenSession,
    place: { host: string; port: number },
    rule: NetworkRule | undefined,
  ): Promise<Socket | BlockReason> {
    if (!rule) {
      return 'notAllowed';
    }
    if (session.sentBytes >= this.#options.maxSentBytes) {
      return 'quota';
    }
    const allowPrivate = ruleFor(this.#options.privateHosts, place.host, place.port) !== undefined;
    return (this.#options.connect ?? dial)({ ...place, allowPrivate });
  }

  #count(session: OpenSession, from: Duplex | IncomingMessage): void {
    from.on('data', (chunk: Buffer) => {
      session.sentBytes += chunk.length;
      if (session.sentBytes >= this.#options.maxSentBytes) {
        from.destroy();
      }
    });
  }

  #record(session: OpenSession, place: { host: string; port: number }, blocked?: BlockReason): void {
    const { sessionId } = session.spec;
    const record = { ...place, ...(blocked === undefined ? {} : { blocked }) };
    const counts = this.#counts.get(sessionId) ?? new Map<string, number>();
    const key = keyOf(record);
    if (counts.has(key) || counts.size < MAX_COUNTED) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      this.#counts.set(sessionId, counts);
    }
    const { log } = this.#options;
    log.log('debug', 'egress', blocked === undefined ? 'Let through' : 'Refused', { sessionId, ...record });
    session.spec.onRecord(record);
  }

  #hold(session: OpenSession, socket: Duplex): void {
    session.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => session.sockets.delete(socket));
  }

  #warn({ spec }: OpenSession, error: unknown): void {
    const fields = { sessionId: spec.sessionId, error: toError(error).message };
    this.#options.log.log('warn', 'egress', 'Network access of a session', fields);
  }
}

function keyOf({ host, port, blocked }: EgressRecord): string {
  return `${blocked ?? ''} ${host} ${port}`;
}

/** Where a connection of a session leads. */
const places = new WeakMap<Duplex, { host: string; port: number }>();

function authorityOf(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const host = hostOf(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  return host !== '' && host.length <= MAX_NAME && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** What git needs to fetch is a POST too. */
function onlyReads({ method }: IncomingMessage, { pathname }: URL): boolean {
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && pathname.endsWith('/git-upload-pack'));
}

function denial(place: { host: string; port: number }, reason: BlockReason): [status: number, text: string] {
  const name = networkName(place);
  switch (reason) {
    case 'notAllowed':
      return [403, `Sandpiper: this session may not reach ${name}. Its user can allow it.`];
    case 'readOnly':
      return [403, `Sandpiper: this session may only read from ${name}: by http://, which the proxy makes https.`];
    case 'privateAddress':
      return [403, `Sandpiper: ${name} is an address of a private network, which no session may reach.`];
    case 'quota':
      return [403, `Sandpiper: this session has sent as much as it may.`];
    case 'unknownHost':
      return [502, `Sandpiper: there is no host ${name}.`];
    case 'unreachable':
      return [504, `Sandpiper: ${name} does not answer.`];
  }
}

function answer(socket: Duplex, status: number, text: string): void {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: text/plain\r\nConnection: close`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(text) + 1}\r\n\r\n${text}\n`);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
}
