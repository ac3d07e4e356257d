import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { cutAfter, Faults, toNobody, type Fault } from './faults.ts';
import { sendJson } from './inside/httpParts.ts';
import { listen } from './listen.ts';

/** A vendor played on loopback: one port, requests that are remembered, faults that a test switches on. */
export abstract class VendorEmulator {
  readonly faults = new Faults();
  /** `METHOD /path` of every request that came. */
  readonly requests: string[] = [];
  /** What was sent or answered against the description of the vendor's wire; empty when all is well. */
  readonly violations: string[] = [];
  apiKey: string;
  /** How many sandboxes may be, and how many come on one page of a list. */
  quota = 100;
  pageSize = 100;
  url = '';
  /** Of this emulator alone; removed with it. */
  protected folder = '';
  #stop: () => Promise<void> = async () => {};

  constructor(apiKey: string) {
    this.apiKey = apiKey;
  }

  /** @param name names the folder, so that a person finds it */
  protected async listen(name: string): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), `sandpiper-${name}-`));
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.violations.push(`the emulator failed at ${request.method} ${request.url}: ${String(error)}`);
        response.destroy();
      });
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => {});
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        this.violations.push(`the emulator failed at ${request.method} ${request.url}: ${String(error)}`);
        socket.destroy();
      });
    });
    const listening = await listen(server);
    this.url = listening.url;
    this.#stop = async () => listening.close();
  }

  async close(): Promise<void> {
    await this.endMachines();
    await this.#stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What points the provider here. */
  abstract get env(): Record<string, string>;

  protected abstract endMachines(): Promise<void>;

  protected abstract serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;

  /** A request that wants to become a WebSocket. Faults that concern what is then sent are its own business. */
  protected async upgrade(upgrade: Upgrade): Promise<void> {
    refuse(upgrade.socket, 404, this.errorBody(404));
  }

  /** What a request is called in `requests` and in the patterns of faults. */
  protected nameOf(request: IncomingMessage, url: URL): string {
    return `${request.method} ${url.pathname}`;
  }

  /** The body of an answer that a fault gives instead. */
  protected abstract errorBody(status: number): unknown;

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const fault = this.#begin(request, url);
    if (fault?.kind === 'answer') {
      request.resume();
      sendJson(response, fault.status, fault.body ?? this.errorBody(fault.status), fault.headers);
      return;
    }
    if (fault?.kind === 'hold') {
      await fault.until;
    } else if (fault?.kind === 'cut') {
      cutAfter(response, fault.afterBytes);
    }
    // The answer of a lost one goes nowhere, and the connection ends once the work is done.
    await this.serve(request, fault?.kind === 'lost' ? toNobody(response) : response, url);
    if (fault?.kind === 'lost') {
      response.socket?.destroy();
    }
  }

  #begin(request: IncomingMessage, url: URL): Fault | undefined {
    const name = this.nameOf(request, url);
    this.requests.push(name);
    return this.faults.take(name);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const fault = this.#begin(request, url);
    if (fault?.kind === 'answer') {
      refuse(socket, fault.status, fault.body ?? this.errorBody(fault.status), fault.headers);
      return;
    }
    if (fault?.kind === 'hold') {
      await fault.until;
    }
    await this.upgrade({ request, socket, head, url, fault });
  }
}

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  url: URL;
  fault: Fault | undefined;
}

/** Answers a request that wanted a WebSocket with something else. */
export function refuse(socket: Duplex, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${text}`);
}
