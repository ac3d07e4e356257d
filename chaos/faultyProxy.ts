import { connect, createServer, type Socket } from 'node:net';

/** How a connection is treated; read anew for every piece, so that a change strikes connections that there are. */
interface Weather {
  /** Nothing goes through. The connections stay open. */
  stalled: boolean;
  /** Bytes a second in each direction, in pieces of a few; 0: at once. */
  bytesPerSecond: number;
}

/** A TCP proxy on loopback that can cut, slow and stall what goes through it, in both directions. */
export class FaultyProxy {
  readonly #target: () => string;
  readonly #pairs = new Set<Pair>();
  readonly #server = createServer(client => this.#accept(client));
  readonly weather: Weather = { stalled: false, bytesPerSecond: 0 };
  #url = '';

  /** @param target where the relay listens now, as a URL */
  constructor(target: () => string) {
    this.#target = target;
  }

  get url(): string {
    return this.#url;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') {
      throw new Error('The proxy has no port.');
    }
    this.#url = `http://127.0.0.1:${address.port}`;
  }

  /** Cuts every connection after so many bytes more, in the middle of whatever they are. */
  cutAfter(bytes: number): void {
    for (const pair of this.#pairs) {
      pair.left = Math.min(pair.left, bytes);
    }
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) {
      pair.cut();
    }
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const { hostname, port } = new URL(this.#target());
    const upstream = connect(Number(port), hostname);
    const pair = new Pair(client, upstream, this.weather);
    this.#pairs.add(pair);
    client.once('close', () => this.#pairs.delete(pair));
  }
}

/** With so much waiting in one direction its sender is held back. */
const MAX_WAITING_BYTES = 1 << 20;
const TICK_MS = 20;

class Pair {
  /** Bytes, in both directions together, until the cut. */
  left = Infinity;
  readonly #sockets: readonly [Socket, Socket];
  readonly #weather: Weather;

  constructor(client: Socket, upstream: Socket, weather: Weather) {
    this.#sockets = [client, upstream];
    this.#weather = weather;
    for (const socket of this.#sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
    this.#carry(client, upstream);
    this.#carry(upstream, client);
  }

  cut(): void {
    this.#sockets.forEach(socket => socket.destroy());
  }

  #carry(from: Socket, to: Socket): void {
    let waiting = Buffer.alloc(0);
    let timer: NodeJS.Timeout | undefined;
    const pass = (): void => {
      timer = undefined;
      const { stalled, bytesPerSecond } = this.#weather;
      const most = stalled ? 0 : bytesPerSecond === 0 ? waiting.length : Math.ceil((bytesPerSecond * TICK_MS) / 1000);
      const piece = waiting.subarray(0, Math.min(most, this.left));
      waiting = waiting.subarray(piece.length);
      this.left -= piece.length;
      if (piece.length > 0) {
        to.write(piece);
      }
      if (this.left <= 0) {
        // After the part before the cut has gone out.
        setImmediate(() => this.cut());
        return;
      }
      if (waiting.length < MAX_WAITING_BYTES) {
        from.resume();
      }
      if (waiting.length > 0 && !from.destroyed) {
        timer ??= setTimeout(pass, TICK_MS);
      }
    };
    from.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      if (waiting.length >= MAX_WAITING_BYTES) {
        from.pause();
      }
      if (!timer) {
        pass();
      }
    });
    from.on('close', () => clearTimeout(timer));
  }
}
