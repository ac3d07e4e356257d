import { connect } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Fault } from '../faults.ts';
import type { KubernetesPod } from './kubernetesPod.ts';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** Takes programs over WebSockets, in the protocols that the server of an age knows. */
export class ExecStreams {
  readonly #server: WebSocketServer;
  readonly #onViolation: (text: string) => void;

  /** @param protocols `v4.channel.k8s.io` up to Kubernetes 1.29, `v5.channel.k8s.io` too from 1.30 on */
  constructor(protocols: readonly string[], onViolation: (text: string) => void) {
    this.#onViolation = onViolation;
    this.#server = new WebSocketServer({
      noServer: true,
      handleProtocols: offered => protocols.find(protocol => offered.has(protocol)) ?? false,
    });
  }

  /** Runs a program in a pod for whoever asked. */
  serve(
    {
      request,
      socket,
      head,
      fault,
    }: { request: IncomingMessage; socket: Duplex; head: Buffer; fault: Fault | undefined },
    pod: KubernetesPod,
    query: URLSearchParams,
  ): void {
    this.#server.handleUpgrade(request, socket, head, client => {
      if (client.protocol === '') {
        this.#onViolation('exec without a protocol that the server knows');
      }
      pod.calls.add(client);
      this.#play(client, pod, query, fault);
    });
  }

  #play(client: WebSocket, pod: KubernetesPod, query: URLSearchParams, fault: Fault | undefined): void {
    const program = connect({ path: pod.box.socket, allowHalfOpen: true });
    const out = new Outlet(client, fault);
    program.on('error', () => client.terminate());
    const asks = (stream: string): boolean => query.get(stream) === 'true';
    program.write(`${JSON.stringify({ argv: query.getAll('command'), stdin: asks('stdin') })}\n`);
    client.on('error', () => client.terminate());
    client.on('message', data => {
      const frame = bufferOf(data);
      if (frame[0] === CHANNEL.stdin) {
        program.write(frame.subarray(1));
      } else if (frame[0] === CHANNEL.close && client.protocol === 'v5.channel.k8s.io' && frame[1] === CHANNEL.stdin) {
        program.end();
      } else {
        this.#onViolation(`exec got channel ${frame[0]} in ${client.protocol}`);
      }
    });
    client.on('close', () => {
      pod.calls.delete(client);
      program.destroy();
    });
    let rest = Buffer.alloc(0);
    program.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        const channel = rest[0] ?? 0;
        if (channel === CHANNEL.status || asks(channel === CHANNEL.stdout ? 'stdout' : 'stderr')) {
          out.send(channel, rest.subarray(5, end));
        }
        rest = rest.subarray(end);
      }
    });
    program.on('close', () => client.close());
  }
}

/** What goes to the client, as far as a fault lets it. */
class Outlet {
  readonly #client: WebSocket;
  readonly #isLost: boolean;
  #left: number;

  constructor(client: WebSocket, fault: Fault | undefined) {
    this.#client = client;
    this.#isLost = fault?.kind === 'lost';
    this.#left = fault?.kind === 'cut' ? fault.afterBytes : Infinity;
  }

  send(channel: number, bytes: Buffer): void {
    const isStatus = channel === CHANNEL.status;
    const isCut = bytes.length > this.#left || (isStatus && this.#left !== Infinity);
    const part = isCut ? bytes.subarray(0, isStatus ? 0 : this.#left) : bytes;
    this.#left -= part.length;
    if (!this.#isLost && part.length > 0) {
      this.#client.send(Buffer.concat([Buffer.of(channel), part]));
    }
    if (isCut || (isStatus && this.#isLost)) {
      this.#client.terminate();
    }
  }
}

function bufferOf(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
}
