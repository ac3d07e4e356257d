import {
  request as plainRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface PlainRequest {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** To the host, nothing said yet; used for this one request. */
  socket: Socket;
  /** Speaks TLS on it. */
  secure: boolean;
  ca: string | undefined;
  /** Whether a host is reached by `http://` in place of `https://`. */
  isReadOnly: (host: string) => boolean;
}

/** Between two that talk, not for those behind them. */
const HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Passes one request with an absolute address on, and its answer back. */
export function passPlainRequest(spec: PlainRequest): void {
  const { request, response, url, socket, secure, isReadOnly, ca } = spec;
  const line = secure
    ? connectTls({ socket, servername: url.hostname, ALPNProtocols: ['http/1.1'], ...(ca === undefined ? {} : { ca }) })
    : socket;
  const upstream = plainRequest({
    method: request.method,
    path: `${url.pathname}${url.search}`,
    // What it says of the host itself may be another's.
    headers: { ...kept(request.headers), host: url.host, connection: 'close' },
    createConnection: () => line,
  });
  const giveUp = (): void => {
    line.destroy();
    if (response.headersSent) {
      response.destroy();
    } else {
      response.writeHead(502, { 'content-type': 'text/plain' }).end('Sandpiper: the host broke the connection.\n');
    }
  };
  line.on('error', giveUp);
  upstream.on('error', giveUp);
  upstream.on('response', answer => {
    const headers = kept(answer.headers);
    const { location } = headers;
    if (secure && location !== undefined && URL.canParse(location)) {
      const to = new URL(location);
      if (to.protocol === 'https:' && isReadOnly(to.hostname)) {
        headers.location = location.replace(/^https:/i, 'http:');
      }
    }
    response.writeHead(answer.statusCode ?? 502, headers);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  response.on('close', () => line.destroy());
  request.on('error', giveUp);
  request.pipe(upstream);
}

function kept(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name) && !named.includes(name)));
}
