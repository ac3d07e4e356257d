import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

/** What a program in a sandbox does with an HTTP proxy on a unix socket. */
export interface ProxyClient {
  /** The tunnel, or the proxy's status and words. */
  tunnel(authority: string): Promise<{ status: number; socket?: Duplex; said: string }>;
  /** A request with the whole address. */
  ask(
    url: string,
    method?: string,
    body?: string,
  ): Promise<{ status: number; said: string; headers: IncomingMessage['headers'] }>;
}

export function proxyClient(socketPath: string): ProxyClient {
  return {
    tunnel: async authority => {
      const asked = request({ socketPath, method: 'CONNECT', path: authority, agent: false });
      asked.end();
      const { answer, socket, head } = await new Promise<{ answer: IncomingMessage; socket: Duplex; head: Buffer }>(
        (resolve, reject) => {
          asked.once('connect', (first, rest, start) => resolve({ answer: first, socket: rest, head: start }));
          asked.once('error', reject);
        },
      );
      socket.on('error', () => {});
      if (answer.statusCode === 200) {
        return { status: 200, socket, said: '' };
      }
      return { status: answer.statusCode ?? 0, said: `${head.toString()}${await text(socket)}` };
    },
    ask: async (url, method = 'GET', body = '') => {
      const { host } = new URL(url);
      const asked = request({
        socketPath,
        method,
        path: url,
        headers: { host, 'proxy-authorization': 'x' },
        agent: false,
      });
      asked.end(body);
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        asked.once('response', resolve);
        asked.once('error', reject);
      });
      return { status: answer.statusCode ?? 0, said: await text(answer), headers: answer.headers };
    },
  };
}
