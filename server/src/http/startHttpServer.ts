import { createServer, STATUS_CODES } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Guard } from './guard.ts';

/** How long open requests get when the server closes. */
const CLOSE_GRACE_MS = 1_000;

export interface HttpServerTimeouts {
  /** Until all headers are there. */
  headersMs: number;
  /** Until the whole request is there; answers may take longer. */
  requestMs: number;
}

export interface HttpServerOptions {
  app: RequestListener;
  guard: Guard;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  log: Logger;
  /** Puts the WebSocket endpoint on the server, before it listens. */
  attach?(server: Server): { close(): Promise<void> };
  timeouts?: Partial<HttpServerTimeouts>;
}

export interface HttpServer {
  readonly port: number;
  /** `http://host:port`, fit for a client on this machine. */
  readonly url: string;
  /** Stops listening, closes sockets with 1012, lets requests end for a second, then cuts them. */
  close(): Promise<void>;
}

/** @throws conflict when the port is taken, forbidden or invalid_params when it cannot be bound */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { app, guard, host, log } = options;
  const { headersMs, requestMs } = { headersMs: 10_000, requestMs: 30_000, ...options.timeouts };
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, headersMs),
      keepAliveTimeout: 5_000,
      // Some HTTP clients offer h2c on every request; such an upgrade is ignored and the request answered.
      shouldUpgradeCallback: request => request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    app,
  );
  server.maxConnections = 1_024;
  server.on('clientError', answerBroken);
  const endpoint = options.attach?.(server);
  const port = await listen(server, host, options.port);
  guard.listensOn(host, port);
  server.on('error', error => log.log('error', 'http', 'The server failed', { error: error.message }));
  return {
    port,
    url: `http://${reachable(host)}:${port}`,
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      server.closeIdleConnections();
      await endpoint?.close();
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenError(error, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function listenError(thrown: Error & { code?: string }, host: string, port: number): SandpiperError {
  const cause = toError(thrown);
  switch (thrown.code) {
    case 'EADDRINUSE':
      return new SandpiperError('conflict', `Port ${port} on ${host} is taken by another program.`, {
        hint: 'Set SANDPIPER_PORT to another port, or to 0 to have one chosen.',
        details: { port },
        cause,
      });
    case 'EACCES':
      return new SandpiperError('forbidden', `The relay may not listen on port ${port} of ${host}.`, {
        hint: 'Set SANDPIPER_PORT to a port above 1023.',
        cause,
      });
    default:
      return new SandpiperError('invalid_params', `The relay cannot listen on ${host}:${port}: ${cause.message}.`, {
        hint: 'Check SANDPIPER_HOST and SANDPIPER_PORT.',
        cause,
      });
  }
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '') {
    return '127.0.0.1';
  }
  if (host === '::') {
    return '[::1]';
  }
  return host.includes(':') ? `[${host}]` : host;
}

/** Requests that are no HTTP, too large in their headers or too slow never reach the application. */
function answerBroken(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
