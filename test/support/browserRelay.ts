import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { isRecord } from '../../protocol/isRecord.ts';
import { notificationFrame, RpcPeer } from '../../protocol/rpc.ts';

const TOKEN = 'browser-token';
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' };

export interface BrowserRelay {
  /** Address with a ticket that is good once. */
  url: string;
  /** Calls that came, in order. */
  calls: { method: string; params: Record<string, unknown> }[];
  notify(method: string, params: object): void;
  /** Cuts every socket, as a network does; with `refuse` no new one is taken. */
  cut(refuse: boolean): void;
  close(): Promise<void>;
}

/** Serves the page as a relay does, with its policy, and speaks the wire; what a call answers is the test's. */
export async function startBrowserRelay(
  folder: string,
  answer: (method: string, params: Record<string, unknown>) => unknown,
): Promise<BrowserRelay> {
  const calls: BrowserRelay['calls'] = [];
  const sockets = new Set<WebSocket>();
  let ticket: string | undefined = 'ticket-1';
  let refuses = false;
  const http = createServer((request, response) => {
    const host = request.headers.host ?? '';
    response.setHeader(
      'Content-Security-Policy',
      `default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self' ws://${host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    const path = new URL(request.url ?? '/', 'http://loopback').pathname;
    if (path === '/v1/tickets/redeem') {
      request.on('data', (body: Buffer) => {
        const good = ticket !== undefined && body.toString().includes(`"${ticket}"`);
        ticket = undefined;
        response.writeHead(good ? 201 : 401).end(JSON.stringify(good ? { token: TOKEN } : {}));
      });
      return;
    }
    if (path === '/v1/relay') {
      response.writeHead(request.headers.authorization === `Bearer ${TOKEN}` ? 200 : 401).end('{}');
      return;
    }
    const file = join(folder, path === '/' ? 'index.html' : path);
    readFile(file).then(
      content => response.setHeader('Content-Type', TYPES[extname(file)] ?? 'text/plain').end(content),
      () => response.writeHead(404).end(),
    );
  });
  const wire = new WebSocketServer({ server: http, path: '/v1/ws', handleProtocols: () => 'sandpiper.v1' });
  wire.on('connection', (socket, request) => {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (refuses || !offered.split(/, */).includes(`bearer.${TOKEN}`)) {
      socket.terminate();
      return;
    }
    sockets.add(socket);
    const peer = new RpcPeer(socket, {
      onCall: (method, params) => {
        const given = isRecord(params) ? params : {};
        calls.push({ method, params: given });
        return Promise.resolve(answer(method, given));
      },
      onNotification: () => {},
    });
    socket.on('message', data => peer.receive(Buffer.isBuffer(data) ? data.toString() : ''));
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(done => http.listen(0, '127.0.0.1', done));
  const address: AddressInfo | string | null = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/#ticket=ticket-1`,
    calls,
    notify: (method, params) => sockets.forEach(socket => socket.send(notificationFrame(method, params))),
    cut: refuse => {
      refuses = refuse;
      sockets.forEach(socket => socket.terminate());
    },
    close: async () => {
      sockets.forEach(socket => socket.terminate());
      wire.close();
      http.closeAllConnections();
      await new Promise(done => http.close(done));
    },
  };
}
