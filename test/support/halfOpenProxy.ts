import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface HalfOpenProxy {
  url: string;
  port: number;
  /** Connections that were taken so far. */
  taken: number;
  /**
   * From now on nothing goes through the connections that there are: bytes vanish, and neither end hears of the other's
   * end. New ones are as good as before.
   */
  vanish(): void;
  close(): Promise<void>;
}

/** A TCP proxy whose connections can become half-open, as when a router forgets them or a computer sleeps. */
export async function startHalfOpenProxy(target: () => { port: number }): Promise<HalfOpenProxy> {
  const pairs = new Set<{ gone: boolean; sockets: readonly Socket[] }>();
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ port: target().port, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { gone: false, sockets: [client, upstream] };
    pairs.add(pair);
    proxy.taken++;
    const carry = (from: Socket, to: Socket): void => {
      from.on('data', bytes => void (pair.gone || to.write(bytes)));
      from.on('end', () => void (pair.gone || to.end()));
      from.on('error', () => from.destroy());
      from.on('close', () => void (pair.gone || to.destroy()));
    };
    carry(client, upstream);
    carry(upstream, client);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) {
    throw new Error('The proxy has no port.');
  }
  const proxy: HalfOpenProxy = {
    url: `http://localhost:${address.port}`,
    port: address.port,
    taken: 0,
    vanish: () => pairs.forEach(pair => (pair.gone = true)),
    close: () => {
      pairs.forEach(({ sockets }) => sockets.forEach(socket => socket.destroy()));
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
  return proxy;
}
