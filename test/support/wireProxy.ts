import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface CuttingProxy {
  url: string;
  /** Connections that were cut so far. */
  cuts: number;
  /** Bytes that the next connection may carry, in both directions together, before it is cut. */
  budget: () => number;
  close(): Promise<void>;
}

/** A TCP proxy that cuts every connection after as many bytes as `budget` says, in the middle of whatever they are. */
export async function startCuttingProxy(targetPort: () => number, budget: () => number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(targetPort(), '127.0.0.1');
    let left = proxy.budget();
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const carry = (from: Socket, to: Socket): void => {
      from.on('data', chunk => {
        to.write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) {
          proxy.cuts++;
          // After the part before the cut has gone out.
          setImmediate(cut);
          from.pause();
        }
      });
      from.on('error', cut);
      from.on('close', cut);
    };
    carry(client, upstream);
    carry(upstream, client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const proxy: CuttingProxy = {
    url: `http://localhost:${portOf(server.address())}`,
    cuts: 0,
    budget,
    close() {
      sockets.forEach(socket => socket.destroy());
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
  return proxy;
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || !address) {
    throw new Error('The proxy has no port.');
  }
  return address.port;
}

/** Numbers from 0 to 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
