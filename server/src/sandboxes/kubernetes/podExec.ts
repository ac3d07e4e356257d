import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { WebSocket, type RawData } from 'ws';
import { z } from 'zod';
import { fieldIn } from '../vendors/fieldIn.ts';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import { statusFailure } from './kubernetesFailure.ts';

export interface PodRun {
  /** Of the call, with `wss:` or `ws:`. */
  url: string;
  /** What shows who asks, and whom to believe. */
  options: RequestOptions;
  /** Sent whole; its end is never told: before version 5 of the protocol that would end the call. */
  stdin: Uint8Array | undefined;
  maxBytes: number;
  signal: AbortSignal;
}

export interface PodOutcome {
  code: number;
  stdout: Buffer;
  stderr: Buffer;
}

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3 } as const;
const CONNECT_TIMEOUT_MS = 20_000;
const CHUNK_BYTES = 64 * 1024;

/**
 * Runs a program in a container, over one WebSocket that lives as long as it.
 * @throws VendorFailures: `broken` when the status of the program did not come; the SDK's own Exec does not tell
 */
export async function podExec({ url, options, stdin, maxBytes, signal }: PodRun): Promise<PodOutcome> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, PROTOCOLS, {
    ...options,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    perMessageDeflate: false,
    maxPayload: maxBytes + CHUNK_BYTES,
  });
  const onAbort = (): void => socket.terminate();
  signal.addEventListener('abort', onAbort);
  try {
    return await outcomeOf(socket, stdin, maxBytes);
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.terminate();
  }
}

function outcomeOf(socket: WebSocket, stdin: Uint8Array | undefined, maxBytes: number): Promise<PodOutcome> {
  return new Promise((resolve, reject) => {
    const output: Record<number, Buffer[]> = { [CHANNEL.stdout]: [], [CHANNEL.stderr]: [] };
    let bytes = 0;
    const fail = (why: unknown): void => {
      reject(why instanceof VendorFailure ? why : new VendorFailure('broken', String(why), { cause: why }));
    };
    socket.on('unexpected-response', (_, response) => void refusalOf(response).then(fail, fail));
    socket.on('error', fail);
    socket.on('close', code => fail(`the connection to the pod ended (${code})`));
    socket.on('open', () => void sendAll(socket, stdin).catch(fail));
    socket.on('message', data => {
      const frame = bufferOf(data);
      const channel = frame[0] ?? -1;
      const part = frame.subarray(1);
      if (channel === CHANNEL.status) {
        const [out, err] = [CHANNEL.stdout, CHANNEL.stderr].map(name => Buffer.concat(output[name] ?? []));
        const code = exitCode(part.toString());
        if (typeof code === 'number') {
          resolve({ code, stdout: out ?? Buffer.alloc(0), stderr: err ?? Buffer.alloc(0) });
        } else {
          fail(code);
        }
        return;
      }
      bytes += part.length;
      if (bytes > maxBytes) {
        fail(new VendorFailure('broken', 'more was written than was asked for'));
      }
      output[channel]?.push(part);
    });
  });
}

/** No more is on its way than the socket takes. */
async function sendAll(socket: WebSocket, stdin: Uint8Array | undefined): Promise<void> {
  const bytes = stdin ?? new Uint8Array();
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const frame = Buffer.concat([Buffer.of(CHANNEL.stdin), bytes.subarray(at, at + CHUNK_BYTES)]);
    await new Promise<void>((resolve, reject) => {
      socket.send(frame, error => (error ? reject(error) : resolve()));
    });
  }
}

const statusSchema = z.looseObject({
  status: z.string().optional(),
  message: z.string().optional(),
  details: z
    .looseObject({
      causes: z.array(z.looseObject({ reason: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

/** Of the Status object that a program's end is told with; a failure where none was run. */
function exitCode(text: string): number | VendorFailure {
  const { data } = statusSchema.safeParse(fromJson(text));
  if (data?.status === 'Success') {
    return 0;
  }
  const code = Number(data?.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message);
  // The container has just ended or is not up: whoever asks for the pod learns it.
  return Number.isInteger(code) ? code : new VendorFailure('asleep', data?.message ?? 'the program was not run');
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function refusalOf(response: IncomingMessage): Promise<VendorFailure> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(Buffer.from(chunk));
  }
  const status = response.statusCode ?? 0;
  const body = Buffer.concat(chunks).toString();
  // A pod without a node or a container that is not up: 400, or 404 without a Status object.
  const isUp = status !== 400 && !(status === 404 && fieldIn(body, 'reason') !== 'NotFound');
  return isUp
    ? statusFailure(status, body, response.headers['retry-after'])
    : new VendorFailure('asleep', fieldIn(body, 'message') ?? `status ${status}`);
}

function bufferOf(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
}
