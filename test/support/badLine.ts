import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface BadLine {
  url: string;
  /** Whether connections, those that there are too, get a fate. */
  bad: boolean;
  cuts: number;
  /** Connections on which bytes vanish from some moment on, and neither end is told. */
  vanished: number;
  slow: number;
  /** From now on bytes vanish on the connections that there are. New ones are as good as before. */
  vanish(): void;
  close(): Promise<void>;
}

interface BadLineOptions {
  targetPort: () => number;
  random: () => number;
  /** Of the connections that end by fate, how many vanish instead of being cut; from 0 to 1. */
  vanishing: number;
}

const PIECE_MS = 5;

/** A TCP proxy on which every connection is cut or vanishes at a random byte, in either direction, and some are slow. */
export async function startBadLine({ targetPort, random, vanishing }: BadLineOptions): Promise<BadLine> {
  const sockets = new Set<Socket>();
  const vanishings = new Set<() => void>();
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ port: targetPort(), host: '127.0.0.1', allowHalfOpen: true });
    let left = 300 + Math.floor(random() ** 3 * 40_000);
    let gone = false;
    const vanish = (): void => void (gone = true);
    vanishings.add(vanish);
    client.on('close', () => vanishings.delete(vanish));
    const vanishes = random() < vanishing;
    const bytesPerPiece = random() < 0.3 ? 20 + Math.floor(random() * 400) : undefined;
    const end = (): void => {
      if (vanishes) {
        vanish();
        line.vanished++;
      } else {
        line.cuts++;
        setImmediate(() => [client, upstream].forEach(socket => socket.destroy()));
      }
    };
    const pass = (to: Socket, bytes: Buffer): void => {
      if (gone || left <= 0) {
        return;
      }
      const piece = line.bad ? bytes.subarray(0, left) : bytes;
      to.write(piece);
      left -= line.bad ? piece.length : 0;
      if (left <= 0) {
        end();
      }
    };
    const carry = (from: Socket, to: Socket): void => {
      from.on('data', bytes => {
        if (!line.bad || bytesPerPiece === undefined) {
          pass(to, bytes);
          return;
        }
        line.slow++;
        from.pause();
        const next = (): void => {
          pass(to, bytes.subarray(0, bytesPerPiece));
          bytes = bytes.subarray(bytesPerPiece);
          if (bytes.length > 0 && !from.destroyed) {
            setTimeout(next, PIECE_MS);
          } else {
            from.resume();
          }
        };
        next();
      });
      from.on('end', () => void (gone || to.end()));
      from.on('error', () => from.destroy());
      from.on('close', () => void (gone || to.destroy()));
      sockets.add(from);
      from.on('close', () => sockets.delete(from));
    };
    carry(client, upstream);
    carry(upstream, client);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const line: BadLine = {
    url: `http://localhost:${port}`,
    bad: false,
    cuts: 0,
    vanished: 0,
    slow: 0,
    vanish: () => vanishings.forEach(vanish => vanish()),
    close: () => {
      sockets.forEach(socket => socket.destroy());
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
  return line;
}
