import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CLOSE_CODES } from '../../../protocol/closeCodes.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { WS_SUBPROTOCOL } from '../../../protocol/version.ts';
import type { RelayHandlers } from '../core/dispatch.ts';
import type { Logger } from '../core/log.ts';
import { toProblem } from '../core/problem.ts';
import type { Refusal } from '../core/problem.ts';
import { SessionFeeds } from '../feed/sessionFeed.ts';
import type { EventSource } from '../sessions/eventSource.ts';
import { DEFAULT_WS_LIMITS } from './limits.ts';
import type { WsLimits } from './limits.ts';
import { SummaryFeed } from './summaryFeed.ts';
import { WsConnection } from './wsConnection.ts';

export interface WebSocketOptions {
  path?: string;
  /** Decides on Host, Origin and token before the upgrade. */
  guard: (request: IncomingMessage) => Refusal | undefined;
  handlers: RelayHandlers;
  source: EventSource;
  log: Logger;
  /** Changes when the relay restarts. */
  instance: string;
  version: string;
  limits?: Partial<WsLimits>;
  /** Hold results to their schemas too; for tests. */
  checkResults?: boolean;
}

export interface WebSocketEndpoint {
  /** Open sockets at this moment. */
  readonly size: number;
  /** Closes every socket with 1012 and resolves when none is left. */
  close(): Promise<void>;
}

/** Serves the JSON-RPC wire on an HTTP server, and owns every upgrade of it. */
export function attachWebSocket(server: Server, options: WebSocketOptions): WebSocketEndpoint {
  const limits = { ...DEFAULT_WS_LIMITS, ...options.limits };
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxFrameBytes,
    // Only ours is ever chosen: a browser offers its token as a further subprotocol, which must not be echoed.
    handleProtocols: () => WS_SUBPROTOCOL,
  });
  const feeds = new SessionFeeds(options.source, options.log);
  const summaries = new SummaryFeed(options.source);
  const connections = new Set<WsConnection>();
  let opened = 0;
  let onEmpty: (() => void) | undefined;

  const heartbeat = setInterval(() => connections.forEach(connection => connection.beat()), limits.pingIntervalMs);
  heartbeat.unref();

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', error => options.log.log('debug', 'ws', 'A socket failed', { error: error.message }));
    const refusal = onEmpty ? STOPPING : refuse(request, options, limits, connections.size);
    if (refusal) {
      rejectUpgrade(socket, refusal);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, webSocket => {
      const connection = new WsConnection(webSocket, {
        id: `ws-${++opened}`,
        network: socket,
        handlers: options.handlers,
        feeds,
        summaries,
        log: options.log,
        relay: { version: options.version, instance: options.instance },
        limits,
        checkResults: options.checkResults ?? false,
      });
      connections.add(connection);
      webSocket.on('close', () => {
        connections.delete(connection);
        if (connections.size === 0) {
          onEmpty?.();
        }
      });
    });
  };
  server.on('upgrade', onUpgrade);

  return {
    get size() {
      return connections.size;
    },
    async close() {
      clearInterval(heartbeat);
      const empty = new Promise<void>(resolve => (onEmpty = resolve));
      if (connections.size > 0) {
        connections.forEach(connection => connection.close(CLOSE_CODES.restarting));
        await empty;
      }
      summaries.dispose();
    },
  };
}

const STOPPING: Refusal = { status: 503, error: new SandpiperError('unavailable', 'The relay is stopping.') };

function refuse(
  request: IncomingMessage,
  options: WebSocketOptions,
  limits: WsLimits,
  open: number,
): Refusal | undefined {
  const refused = options.guard(request);
  if (refused) {
    return refused;
  }
  const path = options.path ?? '/v1/ws';
  if (request.url?.split('?', 1)[0] !== path) {
    const error = new SandpiperError('not_found', `WebSockets are served on ${path} only.`);
    return { status: 404, error };
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim());
  if (!offered.includes(WS_SUBPROTOCOL)) {
    const error = new SandpiperError('invalid_request', `The client did not offer the subprotocol ${WS_SUBPROTOCOL}.`);
    return { status: 400, error };
  }
  if (open >= limits.maxSockets) {
    const error = new SandpiperError('unavailable', `The relay has ${open} connections, which is its limit.`, {
      hint: 'Close some of its clients.',
    });
    return { status: 503, error };
  }
  return undefined;
}

function rejectUpgrade(socket: Duplex, { status, error }: Refusal): void {
  const body = JSON.stringify(toProblem(error, status));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}
