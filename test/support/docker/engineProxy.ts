import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What becomes of one request to the engine. */
export type Fate =
  | 'pass'
  /** The engine gets it, and the answer is lost. */
  | 'loseReply'
  /** The engine never gets it. */
  | 'cut'
  /** The connection breaks this much later. */
  | { cutAfterMs: number }
  /** The engine's answer comes this much later. */
  | { delayMs: number }
  | { status: number };

export interface EngineProxy {
  /** As DOCKER_HOST. */
  url: string;
  /** Asked for every request; `path` without the version. */
  decide: (method: string, path: string) => Fate;
  /** Every request, as `POST /containers/create`. */
  readonly seen: string[];
  close(): Promise<void>;
}

const REQUEST = /^(GET|POST|PUT|DELETE|HEAD) (?:\/v[\d.]+)?(\/\S*) HTTP\/1\.1\r\n/;

/** Stands before an engine's socket: reaches it over TCP, as one elsewhere would be, and has its requests fail as told. */
export async function startEngineProxy(target: string, at?: string): Promise<EngineProxy> {
  const sockets = new Set<Socket>();
  const proxy: EngineProxy = {
    url: '',
    decide: () => 'pass',
    seen: [],
    close: async () => {
      sockets.forEach(socket => socket.destroy());
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
  const server = createServer({ allowHalfOpen: true }, client => {
    const engine = connect({ path: target, allowHalfOpen: true });
    sockets.add(client).add(engine);
    const drop = () => {
      client.destroy();
      engine.destroy();
    };
    client.on('error', drop).on('close', drop);
    engine.on('error', drop).on('close', () => client.destroy());
    let holdUntil = 0;
    let isDeaf = false;
    client.on('data', chunk => {
      const [, method, path] = REQUEST.exec(chunk.toString('latin1')) ?? [];
      const fate =
        method === undefined || path === undefined
          ? 'pass'
          : (proxy.seen.push(`${method} ${path}`), proxy.decide(method, path));
      if (fate === 'cut') {
        drop();
      } else if (fate !== 'pass' && fate !== 'loseReply' && 'status' in fate) {
        const body = JSON.stringify({ message: 'made up by the test' });
        client.end(
          `HTTP/1.1 ${fate.status} X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        );
      } else {
        isDeaf = fate === 'loseReply';
        if (fate !== 'pass' && fate !== 'loseReply') {
          if ('cutAfterMs' in fate) {
            setTimeout(drop, fate.cutAfterMs);
          } else {
            holdUntil = Date.now() + fate.delayMs;
          }
        }
        engine.write(chunk);
      }
    });
    client.on('end', () => engine.end());
    engine.on('data', chunk => {
      if (isDeaf) {
        drop();
      } else {
        setTimeout(() => client.destroyed || client.write(chunk), Math.max(0, holdUntil - Date.now()));
      }
    });
    engine.on('end', () => setTimeout(() => client.end(), Math.max(0, holdUntil - Date.now()) + 1));
  });
  if (at === undefined) {
    server.listen(0, '127.0.0.1');
  } else {
    server.listen(at);
  }
  await once(server, 'listening');
  const address = server.address();
  proxy.url = typeof address === 'string' ? `unix://${address}` : `tcp://127.0.0.1:${address?.port ?? 0}`;
  return proxy;
}
