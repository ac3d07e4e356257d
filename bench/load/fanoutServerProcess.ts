import { once } from 'node:events';
import { WebSocketServer, type WebSocket } from 'ws';
import { startWireServer, WIRE_TOKEN } from '../../test/support/wireServer.ts';
import { syntheticSource } from '../../test/support/wireSynthetic.ts';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';

/*
 * The two sides of the comparison, one a process: the relay's whole wire over a session whose log takes no memory, or
 * nothing but `ws.send` in a loop. Each message of a publisher's socket becomes one event for all subscribers. Forked, this
 * file is that process.
 */

export interface FanoutAddress {
  /** Takes the publisher. */
  publishUrl: string;
  /** Takes subscribers. */
  url: string;
  /** Only of the relay's wire. */
  relay?: { token: string; sessionId: string };
}

export type FanoutServer = HelperProcess<typeof questions>;

export function startFanoutServer(): FanoutServer {
  return startHelper<typeof questions>(import.meta.filename);
}

const EVENT_CHARS = 220;

const questions = {
  async wire(): Promise<FanoutAddress> {
    const source = syntheticSource(EVENT_CHARS);
    const server = await startWireServer({ source });
    const publishUrl = await listen(socket => socket.on('message', () => source.append(1)));
    const relay = { token: WIRE_TOKEN, sessionId: source.sessionId };
    return { publishUrl, url: `${server.url.replace(/^http/, 'ws')}/v1/ws`, relay };
  },
  async bare(): Promise<FanoutAddress> {
    const subscribers = new Set<WebSocket>();
    const publishUrl = await listen(socket =>
      socket.on('message', (data: Buffer) => {
        const text = data.toString('utf8');
        subscribers.forEach(subscriber => subscriber.send(text));
      }),
    );
    return { publishUrl, url: await listen(socket => subscribers.add(socket)) };
  },
  /** Milliseconds of processor time since the process began. */
  cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** @returns the URL of a plain WebSocket server on a free port */
async function listen(onSocket: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', socket => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The server has no port.');
  }
  return `ws://127.0.0.1:${address.port}`;
}

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
