import type { EventSource } from '../../server/src/sessions/eventSource.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { createHttpApp } from '../../server/src/http/createHttpApp.ts';
import { Guard } from '../../server/src/http/guard.ts';
import type { HttpLimits } from '../../server/src/http/limits.ts';
import { startHttpServer } from '../../server/src/http/startHttpServer.ts';
import type { HttpServerTimeouts } from '../../server/src/http/startHttpServer.ts';
import { TicketDesk } from '../../server/src/http/tickets.ts';
import { attachWebSocket } from '../../server/src/ws/attachWebSocket.ts';
import type { WebSocketEndpoint } from '../../server/src/ws/attachWebSocket.ts';
import type { WsLimits } from '../../server/src/ws/limits.ts';
import type { Logger } from '../../server/src/core/log.ts';
import { wireHandlers } from './wireHandlers.ts';
import type { WireHandlers } from './wireHandlers.ts';
import { MemorySessions } from './wireSource.ts';

export const WIRE_TOKEN = 'test-token-0123456789abcdefghijklmnop';

export interface WireServerOptions {
  port?: number;
  source?: EventSource;
  ws?: Partial<WsLimits>;
  http?: Partial<HttpLimits>;
  timeouts?: Partial<HttpServerTimeouts>;
  webFolders?: string[];
  hosts?: string[];
  now?: () => number;
  ready?: () => Promise<void>;
  log?: Logger;
}

export interface WireServer {
  url: string;
  port: number;
  sessions: MemorySessions;
  handlers: WireHandlers;
  ws: WebSocketEndpoint;
  close(): Promise<void>;
}

/** The whole wire on a real port, over sessions in memory. */
export async function startWireServer(options: WireServerOptions = {}): Promise<WireServer> {
  const sessions = new MemorySessions();
  const source = options.source ?? sessions;
  const handlers = wireHandlers(sessions);
  const log = options.log ?? silentLogger;
  const tickets = new TicketDesk(options.now);
  const guard = new Guard({
    token: WIRE_TOKEN,
    verifyBrowserToken: token => tickets.verify(token),
    hosts: options.hosts ?? [],
  });
  const app = createHttpApp({
    guard,
    tickets,
    handlers,
    source,
    ready: options.ready ?? (() => Promise.resolve()),
    log,
    version: '0.1.0',
    webFolders: options.webFolders ?? [],
    limits: options.http ?? {},
    checkResults: true,
  });
  let ws: WebSocketEndpoint | undefined;
  const server = await startHttpServer({
    app,
    guard,
    host: '127.0.0.1',
    port: options.port ?? 0,
    log,
    timeouts: options.timeouts ?? {},
    attach: httpServer =>
      (ws = attachWebSocket(httpServer, {
        guard: guard.checkUpgrade,
        handlers,
        source,
        log,
        instance: 'i1',
        version: '0.1.0',
        limits: options.ws ?? {},
        checkResults: true,
      })),
  });
  if (!ws) {
    throw new Error('The WebSocket endpoint was not attached.');
  }
  return { url: server.url, port: server.port, sessions, handlers, ws, close: () => server.close() };
}
