import { isRecord } from '../../protocol/isRecord.ts';
import { INITIALIZE, WireSocket } from './wireSocket.ts';

/** A client of somebody else, made after docs/protocol.md alone: it keeps its last seq and asks for what comes after. */
export class RawPhone {
  readonly events: Record<string, unknown>[] = [];
  readonly #url: string;
  readonly #sessionId: string;
  #socket: WireSocket | undefined;
  #stopped = false;
  readonly running: Promise<void>;

  constructor(url: string, sessionId: string) {
    this.#url = url;
    this.#sessionId = sessionId;
    this.running = this.#run();
  }

  get #seq(): number {
    return Number(this.events.at(-1)?.['seq'] ?? 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket?.close();
    await this.running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // A line that is cut while a socket opens is one more reason to open another.
      await this.#follow().catch(() => new Promise(resolve => setTimeout(resolve, 10)));
    }
  }

  async #follow(): Promise<void> {
    const socket = await WireSocket.open(this.#url, { initialize: false });
    this.#socket = socket;
    socket.socket.on('message', () => this.#take(socket));
    await socket.call('initialize', INITIALIZE);
    await this.#subscribe(socket);
    await socket.closed;
  }

  async #subscribe(socket: WireSocket): Promise<void> {
    await socket.call('session.subscribe', { sessionId: this.#sessionId, afterSeq: this.#seq });
  }

  #take(socket: WireSocket): void {
    for (const frame of socket.frames.splice(0)) {
      const params = isRecord(frame['params']) ? frame['params'] : {};
      const events = frame['method'] === 'session.events' && Array.isArray(params['events']) ? params['events'] : [];
      for (const event of events.filter(isRecord)) {
        const seq = Number(event['seq']);
        if (seq === this.#seq + 1) {
          this.events.push(event);
        } else if (seq > this.#seq + 1) {
          this.#subscribe(socket).catch(() => {});
          return;
        }
      }
    }
  }
}
